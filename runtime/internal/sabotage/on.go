//go:build imsdk_sabotage

package sabotage

import (
	"os"
	"slices"
	"strings"
)

// The switches, by their names in the environment variable IMSDK_SABOTAGE, separated by commas.
var (
	ReceiptBeforeAppend = on("ReceiptBeforeAppend")
	NoDedupe            = on("NoDedupe")
	NoOrder             = on("NoOrder")
	NoChain             = on("NoChain")
	NoGap               = on("NoGap")
	NoReplay            = on("NoReplay")
	NoWindow            = on("NoWindow")
	NoResend            = on("NoResend")
)

func on(name string) bool {
	return slices.Contains(strings.Split(os.Getenv("IMSDK_SABOTAGE"), ","), name)
}
