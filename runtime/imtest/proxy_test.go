package imtest_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/game-im/im-grpc-sdk/runtime/imtest"
)

// silence is how long a test listens to be sure that nothing comes.
const silence = 100 * time.Millisecond

func TestAProxyPassesOnBytesAndEnds(t *testing.T) {
	t.Parallel()
	p := imtest.NewProxy(t, echo(t, ""))
	c := dialTCP(t, p)
	sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<16) // 1 MiB, more than the proxy holds
	var sending sync.WaitGroup
	sending.Go(func() {
		_, err := c.Write(sent)
		if err = errors.Join(err, c.CloseWrite()); err != nil {
			t.Error(err)
		}
	})
	got, err := io.ReadAll(c)
	sending.Wait()
	if err != nil || !bytes.Equal(got, sent) {
		t.Errorf("%d of %d bytes came back: %v", len(got), len(sent), err)
	}
	want := int64(len(sent))
	if s := p.Stats(); s.BytesToTarget != want || s.BytesToClient != want || s.Connections != 1 || s.Refused != 0 {
		t.Errorf("%+v", s)
	}
}

func TestCutResetsEveryConnectionAndLetsNewOnesIn(t *testing.T) {
	t.Parallel()
	p := imtest.NewProxy(t, echo(t, ""))
	conns := []*net.TCPConn{dialTCP(t, p), dialTCP(t, p)}
	for _, c := range conns {
		roundTrip(t, c)
	}
	p.Cut()
	if got := p.Stats(); got.Open != 0 || got.Connections != 2 {
		t.Errorf("after the cut: %+v", got)
	}
	for _, c := range conns {
		wantReset(t, c)
	}
	roundTrip(t, dialTCP(t, p))
}

func TestFreezeHoldsADirectionAndThawLosesNothing(t *testing.T) {
	t.Parallel()
	for name, d := range map[string]imtest.Direction{
		"to the target": imtest.ToTarget, "to the client": imtest.ToClient, "both": imtest.Both,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := imtest.NewProxy(t, echo(t, ""))
			c := dialTCP(t, p)
			roundTrip(t, c)
			p.Freeze(d)
			write(t, c, "held")
			wantSilence(t, c)
			if got := p.Stats(); d != imtest.ToClient && got.BytesToTarget != 4 || got.BytesToClient != 4 {
				t.Errorf("frozen, and yet %+v", got)
			}
			p.Thaw(d)
			wantRead(t, c, "held")
			roundTrip(t, c)
		})
	}
}

func TestHalfOpenSwallowsEverythingAndBreaksNothing(t *testing.T) {
	t.Parallel()
	p := imtest.NewProxy(t, echo(t, ""))
	old := dialTCP(t, p)
	roundTrip(t, old)
	p.HalfOpen(true)
	fresh := dialTCP(t, p)
	for _, c := range []*net.TCPConn{old, fresh} {
		write(t, c, "lost")
		wantSilence(t, c)
	}
	p.HalfOpen(false)
	write(t, old, "lost")
	wantSilence(t, old)
	roundTrip(t, dialTCP(t, p))
	if got := p.Stats(); got.BytesToTarget != 8 || got.BytesToClient != 8 || got.Open != 3 {
		t.Errorf("%+v", got)
	}
	p.Cut()
	wantReset(t, old)
}

func TestRefuseResetsNewConnectionsAndLeavesTheOthers(t *testing.T) {
	t.Parallel()
	p := imtest.NewProxy(t, echo(t, ""))
	old := dialTCP(t, p)
	roundTrip(t, old)
	p.Refuse(true)
	wantNoEntry(t, p)
	roundTrip(t, old)
	if got := p.Stats(); got.Refused != 1 || got.Connections != 1 {
		t.Errorf("%+v", got)
	}
	p.Refuse(false)
	roundTrip(t, dialTCP(t, p))
}

func TestDelayIsAddedPerDirection(t *testing.T) {
	t.Parallel()
	p := imtest.NewProxy(t, echo(t, ""))
	c := dialTCP(t, p)
	roundTrip(t, c)
	for _, step := range []struct {
		d    imtest.Direction
		want time.Duration
	}{{imtest.ToTarget, 50 * time.Millisecond}, {imtest.ToClient, 100 * time.Millisecond}} {
		p.Delay(step.d, 50*time.Millisecond)
		start := time.Now()
		roundTrip(t, c)
		if took := time.Since(start); took < step.want {
			t.Errorf("there and back took %s, want %s at least", took, step.want)
		}
	}
	p.Delay(imtest.Both, 0)
	roundTrip(t, c)
}

func TestThrottleSlowsDownALiveConnection(t *testing.T) {
	t.Parallel()
	for name, d := range map[string]imtest.Direction{"to the target": imtest.ToTarget, "to the client": imtest.ToClient} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := imtest.NewProxy(t, echo(t, ""))
			c := dialTCP(t, p)
			roundTrip(t, c)
			p.Throttle(d, 10_000) // pieces of 500 bytes, the first at once
			start := time.Now()
			text := string(bytes.Repeat([]byte("x"), 2000))
			write(t, c, text)
			wantRead(t, c, text)
			if took := time.Since(start); took < 100*time.Millisecond {
				t.Errorf("2,000 bytes took %s", took)
			}
			p.Throttle(d, 1) // a second and more for the next bytes, were it not taken back
			write(t, c, text)
			p.Throttle(d, 0)
			wantRead(t, c, text)
		})
	}
}

func TestCutAfterCountsADirectionFromTheCall(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		d      imtest.Direction
		n      int64
		passed func(s imtest.ProxyStats) int64
	}{
		"to the target":    {imtest.ToTarget, 10, func(s imtest.ProxyStats) int64 { return s.BytesToTarget }},
		"to the client":    {imtest.ToClient, 10, func(s imtest.ProxyStats) int64 { return s.BytesToClient }},
		"at the next byte": {imtest.ToTarget, 0, func(s imtest.ProxyStats) int64 { return s.BytesToTarget }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := imtest.NewProxy(t, echo(t, ""))
			c, other := dialTCP(t, p), dialTCP(t, p)
			roundTrip(t, other)
			p.CutAfter(test.d, 1)
			p.CutAfter(test.d, -1) // taken back
			roundTrip(t, c)
			before := test.passed(p.Stats())
			p.CutAfter(test.d, test.n)
			write(t, c, "0123456789 and more")
			wantReset(t, c)
			wantReset(t, other)
			if got := test.passed(p.Stats()) - before; got != test.n {
				t.Errorf("%d bytes passed, want %d", got, test.n)
			}
			roundTrip(t, dialTCP(t, p)) // once only
		})
	}
}

func TestSetTargetMovesNewConnections(t *testing.T) {
	t.Parallel()
	p := imtest.NewProxy(t, echo(t, ""))
	old := dialTCP(t, p)
	roundTrip(t, old)
	p.SetTarget(echo(t, "second"))
	wantRead(t, dialTCP(t, p), "second")
	roundTrip(t, old)
}

func TestATargetThatIsNotThereResetsTheClient(t *testing.T) {
	t.Parallel()
	p := imtest.NewProxy(t, "127.0.0.1:1")
	wantNoEntry(t, p)
}

func TestFaultsMayBeSetWhileBytesFlow(t *testing.T) {
	t.Parallel()
	p := imtest.NewProxy(t, echo(t, ""))
	var all sync.WaitGroup
	for range 4 {
		c := dialTCP(t, p)
		all.Go(func() { _, _ = io.Copy(io.Discard, c) })
		all.Go(func() {
			for {
				if _, err := c.Write(make([]byte, 1000)); err != nil {
					return // the cut at the end
				}
			}
		})
	}
	var faults sync.WaitGroup
	for range 4 {
		faults.Go(func() {
			for i := range 100 {
				p.Freeze(imtest.Both)
				p.Throttle(imtest.ToClient, 1000*i)
				p.Delay(imtest.ToTarget, time.Duration(i))
				p.HalfOpen(i == 50)
				p.CutAfter(imtest.Both, int64(i)<<20)
				p.Thaw(imtest.Both)
				_ = p.Stats()
			}
		})
	}
	faults.Wait()
	p.Refuse(true) // whom Accept has not seen yet
	p.Cut()
	all.Wait()
	p.Refuse(false)
	p.HalfOpen(false)
	p.CutAfter(imtest.Both, -1)
	p.Throttle(imtest.Both, 0)
	roundTrip(t, dialTCP(t, p))
}

// echo is the address of a server that greets and sends back what it gets.
func echo(t *testing.T, greeting string) (address string) {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer func() { _ = c.Close() }()
				_, _ = io.WriteString(c, greeting)
				_, _ = io.Copy(c, c)
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		running.Wait()
	})
	return listener.Addr().String()
}

func dialTCP(t *testing.T, p *imtest.Proxy) *net.TCPConn {
	t.Helper()
	var dialer net.Dialer
	c, err := dialer.DialContext(t.Context(), "tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		t.Fatalf("the connection is a %T", c)
	}
	return tcp
}

// wantNoEntry wants a connection to be reset at once: the dial may see it already, or the first read.
func wantNoEntry(t *testing.T, p *imtest.Proxy) {
	t.Helper()
	var dialer net.Dialer
	c, err := dialer.DialContext(t.Context(), "tcp", p.Addr())
	if errors.Is(err, syscall.ECONNRESET) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	wantReset(t, c)
}

func write(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
}

func wantRead(t *testing.T, c net.Conn, want string) {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(want))
	if n, err := io.ReadFull(c, got); err != nil || string(got) != want {
		t.Fatalf("read %q, %v; want %q", got[:n], err, want)
	}
}

func roundTrip(t *testing.T, c net.Conn) {
	t.Helper()
	write(t, c, "ping")
	wantRead(t, c, "ping")
}

func wantSilence(t *testing.T, c net.Conn) {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(silence)); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("read %d bytes, %v; want silence", n, err)
	}
}

func wantReset(t *testing.T, c net.Conn) {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, c); !errors.Is(err, syscall.ECONNRESET) {
		t.Fatalf("read until %v; want a reset", err)
	}
}
