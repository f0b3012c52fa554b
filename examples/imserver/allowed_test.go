package main_test

import (
	"strings"
	"testing"
)

func TestAWrongValueIsToldWithItsFlagItsVariableAndWhatIsAllowed(t *testing.T) {
	t.Parallel()
	const aTime, aNumber = "a time above 0", "a whole number, at least 1"
	for _, test := range []struct{ flag, value, allowed string }{
		{"addr", "8083", "write host:port"},
		{"addr", ":99999", "write host:port"},
		{"audio-max-bytes", "0", aNumber},
		{"audio-total-bytes", "-1", aNumber},
		{"max-message-bytes", "0", "from 1 to 4194304"},
		{"max-message-bytes", "9999999", "from 1 to 4194304"},
		{"max-rooms", "0", "from 1 to 2147483647"},
		{"max-rooms", "2147483648", "from 1 to 2147483647"},
		{"max-rooms", "many", "from 1 to 2147483647"},
		{"max-users", "-1", "from 0 to 2147483647"},
		{"max-users", "2147483648", "from 0 to 2147483647"},
		{"max-users", "99999999999999999999", "from 0 to 2147483647"},
		{"keep-messages", "0", aNumber},
		{"keep-bytes", "0", aNumber},
		{"keep-total-bytes", "0", aNumber},
		{"keep-age", "0s", aTime},
		{"window-bytes", "1023", "from 1024 to 2147483647"},
		{"queue-answers", "-5", aNumber},
		{"queue-bytes", "0", aNumber},
		{"dedupe-window", "0s", aTime},
		{"heartbeat", "-1s", aTime},
		{"heartbeat-timeout", "0s", aTime},
		{"silence", "soon", aTime},
		{"drain-spread", "-1s", "a time, 0 or above"},
		{"stop-timeout", "10", aTime},
		{"echo", "perhaps", "true or false"},
		{"persistent-rooms", "2", "true or false"},
		{"user-from-cert", "yes", "true or false"},
		{"log-level", "loud", "debug, info, warn or error"},
		{"log-format", "xml", "text or json"},
	} {
		t.Run(test.flag+" "+test.value, func(t *testing.T) {
			t.Parallel()
			variable := "IMSERVER_" + strings.ToUpper(strings.ReplaceAll(test.flag, "-", "_"))
			for from, given := range map[string]struct{ env, args []string }{
				"flag":     {nil, []string{"-" + test.flag + "=" + test.value}},
				"variable": {[]string{variable + "=" + test.value}, nil},
			} {
				code, _, stderr := run(t, given.env, given.args...)
				if code != 2 {
					t.Errorf("%s: exit code %d", from, code)
				}
				for _, words := range []string{"-" + test.flag + " (variable " + variable + ")", `"` + test.value + `"`, test.allowed} {
					if !strings.Contains(stderr, words) {
						t.Errorf("%s: %q does not say %q", from, stderr, words)
					}
				}
			}
		})
	}
}
