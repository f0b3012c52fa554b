package session

import (
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Option changes one setting of a session. Options are in files by subject: options.go (identity, log),
// options_dial.go, options_timing.go, options_handlers.go, options_flow.go, options_receive.go. A bad value makes Dial and
// New fail.
type Option interface {
	apply(c *config) error
}

type option func(c *config) error

func (o option) apply(c *config) error { return o(c) }

// newConfig applies options over the defaults and reports all that is wrong at once.
func newConfig(opts []Option) (*config, error) {
	c := defaults()
	var errs []error
	for _, opt := range opts {
		if opt == nil {
			errs = append(errs, errors.New("an option is nil"))
			continue
		}
		if err := opt.apply(c); err != nil {
			errs = append(errs, err)
		}
	}
	if c.user == "" && len(errs) == 0 {
		errs = append(errs, errors.New("there is no user: give session.WithUser"))
	}
	return c, errors.Join(errs...)
}

// WithUser says whose session it is: 1 to 128 bytes of UTF-8. There is no default; every session has a user.
func WithUser(userID string) Option {
	return option(func(c *config) error {
		c.user = userID
		return wrapOption("WithUser", checkID("the user id", userID))
	})
}

// WithRoom gives the default room, 1 to 128 bytes of UTF-8: the session is in it from Connect on, and again after every
// reconnect, joined with what the options say. Default: none.
func WithRoom(roomID string, opts ...JoinOption) Option {
	return option(func(c *config) error {
		c.room, c.roomMetadata = roomID, joinMetadata(opts)
		err := checkID("the room id", roomID)
		if n := len(c.roomMetadata); err == nil && n > maxMetadataEntries {
			err = fmt.Errorf("the metadata of the room has %d entries: at most %d are allowed", n, maxMetadataEntries)
		}
		return wrapOption("WithRoom", err)
	})
}

// WithAgent names the application in the server's logs, up to 128 bytes. Default: nothing.
func WithAgent(agent string) Option {
	return option(func(c *config) error {
		c.agent = agent
		return wrapOption("WithAgent", checkID("the agent", agent))
	})
}

// WithLogger gives the logger. Default: nothing is logged.
func WithLogger(logger *slog.Logger) Option {
	return option(func(c *config) error {
		if logger == nil {
			return errors.New("WithLogger: the logger is nil")
		}
		c.log = logger
		return nil
	})
}

func wrapOption(name string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func checkPositive(what string, d time.Duration) error {
	if d <= 0 {
		return fmt.Errorf("%s is %s: it must be more than 0", what, d)
	}
	return nil
}
