package dbtest

import (
	"net"
	"net/url"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// Proxy is a TCP proxy before a PostgreSQL server, which can make the server unreachable.
type Proxy struct {
	listener net.Listener
	server   string

	mu    sync.Mutex
	state *sync.Cond // of the fields below
	down  bool       // connections are refused
	mute  bool       // what the server answers does not arrive
	still bool       // nothing arrives in either direction
	conns map[net.Conn]bool
}

// Before starts a proxy before the server of an address, and returns it with the address of the same database through
// the proxy.
func Before(t testing.TB, address string) (*Proxy, string) {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	p := &Proxy{server: u.Host, conns: map[net.Conn]bool{}}
	p.state = sync.NewCond(&p.mu)
	p.listener, err = net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	u.Host = p.listener.Addr().String()
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := p.listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { p.serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = p.listener.Close()
		p.Cut()
		serving.Wait()
	})
	return p, u.String()
}

// Cut ends all connections and refuses new ones, as a server does that is killed.
func (p *Proxy) Cut() { p.set(func() { p.down, p.mute, p.still = true, false, false }) }

// Mute keeps back what the server answers. What the clients send arrives, so that they do not learn of their commits.
func (p *Proxy) Mute() { p.set(func() { p.mute = true }) }

// Stop keeps back everything, as a network does that loses packets.
func (p *Proxy) Stop() { p.set(func() { p.still = true }) }

// Restore makes the server reachable. What was kept back arrives.
func (p *Proxy) Restore() { p.set(func() { p.down, p.mute, p.still = false, false, false }) }

func (p *Proxy) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
	if p.down {
		for conn := range p.conns {
			_ = conn.Close()
		}
	}
	p.state.Broadcast()
}

// add registers a connection. It reports false, and closes the connection, if the server is down.
func (p *Proxy) add(conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down {
		_ = conn.Close()
		return false
	}
	p.conns[conn] = true
	return true
}

func (p *Proxy) remove(conn net.Conn) {
	_ = conn.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, conn)
}

func (p *Proxy) serve(client net.Conn) {
	if !p.add(client) {
		return
	}
	defer p.remove(client)
	server, err := net.Dial("tcp", p.server)
	if err != nil || !p.add(server) {
		return
	}
	defer p.remove(server)
	var answers sync.WaitGroup
	answers.Go(func() { p.copy(client, server, true) })
	p.copy(server, client, false)
	answers.Wait()
}

// copy copies from one connection to the other until one of them ends.
func (p *Proxy) copy(to, from net.Conn, answers bool) {
	defer func() { _, _ = to.Close(), from.Close() }()
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		p.mu.Lock()
		for !p.down && (p.still || p.mute && answers) {
			p.state.Wait()
		}
		down := p.down
		p.mu.Unlock()
		if n > 0 && !down {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil || down {
			return
		}
	}
}
