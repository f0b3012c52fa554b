package main

import (
	"flag"
	"fmt"
	"math"
	"net"
	"strconv"
	"time"
)

// rule says what a flag's value may be.
type rule struct {
	allowed string      // for a person
	holds   func() bool // of the value that is set
}

// rules are those of every flag whose value can be wrong by itself.
func rules(cfg *config) map[string]rule {
	return map[string]rule{
		"addr":              {"write host:port, such as :8083 or 127.0.0.1:8083", func() bool { return isAddress(cfg.addr) }},
		"user-from-cert":    trueOrFalse(),
		"audio-max-bytes":   between(&cfg.audioBytes, 1, math.MaxInt64),
		"audio-total-bytes": between(&cfg.audioAllBytes, 1, math.MaxInt64),
		"max-message-bytes": between(&cfg.maxMessage, 1, 4<<20),
		"max-rooms":         between(&cfg.maxRooms, 1, math.MaxInt32),
		"max-users":         between(&cfg.maxUsers, 0, math.MaxInt32),
		"persistent-rooms":  trueOrFalse(),
		"keep-messages":     between(&cfg.keepMessages, 1, math.MaxInt),
		"keep-bytes":        between(&cfg.keepBytes, 1, math.MaxInt64),
		"keep-total-bytes":  between(&cfg.keepAllBytes, 1, math.MaxInt64),
		"keep-age":          someTime(&cfg.keepAge),
		"dedupe-window":     someTime(&cfg.dedupeWindow),
		"window-bytes":      between(&cfg.windowBytes, 1024, math.MaxInt32),
		"queue-answers":     between(&cfg.queueAnswers, 1, math.MaxInt),
		"queue-bytes":       between(&cfg.queueBytes, 1, math.MaxInt),
		"heartbeat":         someTime(&cfg.heartbeat),
		"heartbeat-timeout": someTime(&cfg.heartbeatWait),
		"silence":           someTime(&cfg.silence),
		"echo":              trueOrFalse(),
		"drain-spread":      {"write a time, 0 or above, such as 5s", func() bool { return cfg.drainSpread >= 0 }},
		"stop-timeout":      someTime(&cfg.stopTimeout),
		"log-level":         {"use debug, info, warn or error", func() bool { return true }},
		"log-format":        {"use text or json", func() bool { return cfg.logFormat == "text" || cfg.logFormat == "json" }},
	}
}

func between[N int | int64](value *N, least, most N) rule {
	allowed := fmt.Sprintf("write a whole number from %d to %d", least, most)
	if uint64(most) >= math.MaxInt {
		allowed = fmt.Sprintf("write a whole number, at least %d", least)
	}
	return rule{allowed, func() bool { return *value >= least && *value <= most }}
}

func someTime(value *time.Duration) rule {
	return rule{"write a time above 0, such as 300ms, 10s or 5m", func() bool { return *value > 0 }}
}

func trueOrFalse() rule { return rule{"write true or false", func() bool { return true }} }

// isAddress leaves names of hosts and ports to the system.
func isAddress(addr string) bool {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	number, err := strconv.Atoi(port)
	return err != nil || number >= 0 && number <= math.MaxUint16
}

// checked is a flag's value with its rule. Set takes every text and notes what is wrong, so that all wrong values are told at
// once, each with its flag and its variable.
type checked struct {
	flag.Value
	rule

	name string
	errs *[]error
}

// Set is called for the variable and for the flag.
func (c *checked) Set(text string) error {
	if err := c.Value.Set(text); err != nil || !c.holds() {
		*c.errs = append(*c.errs, fmt.Errorf("-%s (variable %s) is %q: %s", c.name, envName(c.name), text, c.allowed))
	}
	return nil
}

// IsBoolFlag tells package flag which flags need no value.
func (c *checked) IsBoolFlag() bool {
	b, ok := c.Value.(interface{ IsBoolFlag() bool })
	return ok && b.IsBoolFlag()
}

// checkValues gives every flag its rule; what Set finds goes to errs.
func checkValues(flags *flag.FlagSet, cfg *config, errs *[]error) {
	all := rules(cfg)
	flags.VisitAll(func(f *flag.Flag) {
		if r, ok := all[f.Name]; ok {
			f.Value = &checked{Value: f.Value, rule: r, name: f.Name, errs: errs}
		}
	})
}
