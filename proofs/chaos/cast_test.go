package chaos_test

import (
	"time"

	"github.com/game-im/im-grpc-sdk/proofs/internal/ledger"
)

// Who takes part: clients with sessions in rooms. Each room has eight readers, three of them send.
const (
	clients         = 4
	sessionsOfEach  = 4
	sessionsInAll   = clients * sessionsOfEach
	roomsInAll      = 6
	roomsOfEach     = 3
	sendsOfEach     = 1
	throttledClient = clients - 1 // its proxy lets little through, now and then
	throttleRate    = 40 << 10    // bytes per second and connection: less than is said
	throttledEvery  = time.Minute
	throttledFor    = 20 * time.Second // and then there is time to catch up
)

// cast distributes the parts. The rate is that of all senders together.
func cast(servers []string, s setting) []clientConfig {
	configs := make([]clientConfig, clients)
	for i := range configs {
		configs[i].Server, configs[i].Patience = servers[i], s.patience
	}
	for id := range sessionsInAll {
		of := id % clients
		m := memberConfig{
			ID:       id + 1,
			Injected: id%3 == 1,
			WithConn: id%2 == 1,
			Hurried:  id == 6,
			Echo:     id%5 == 2,
			Rate:     float64(s.rate) / (sessionsInAll * sendsOfEach),
		}
		for i := range roomsOfEach {
			m.Rooms = append(m.Rooms, (id+i*(1+id%2))%roomsInAll)
		}
		m.Sends = m.Rooms[id%2 : id%2+sendsOfEach]
		switch id {
		case 3, 9:
			m.Handler = 4 * time.Millisecond // 0.4 s where it hangs
		case 5:
			m.Handler, m.Window = 10*time.Millisecond, 16<<10
		case 8:
			m.Window = 4 << 10
		}
		configs[of].Sessions = append(configs[of].Sessions, m)
	}
	return configs
}

// enter writes the cast into the book.
func enter(book *ledger.Book, configs []clientConfig) {
	for _, config := range configs {
		for _, m := range config.Sessions {
			for _, room := range m.Rooms {
				book.Reads(m.ID, room)
			}
			if m.Echo {
				book.HearsOwn(m.ID)
			}
			for _, room := range m.Sends {
				if m.Hurried {
					book.Hurries(m.ID, room)
				}
			}
		}
	}
}
