package ghlsync_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync/internal/dbtest"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/pluvo"
)

// TestAnEditBesideAWrite: a person edits a contact in HighLevel while the sync writes to it, and one of the two
// deliveries is lost. The echo of the write costs no request, but it must not hide the edit.
func TestAnEditBesideAWrite(t *testing.T) {
	for _, c := range []struct {
		name      string
		after     bool // the edit comes after the answer of the write
		lost      func(body string) bool
		reconcile time.Duration
	}{
		{"between the reading and the write, the edit's delivery is lost", false, isEdit, -1},
		{"between the reading and the write, the echo is lost", false, isEcho, -1},
		{"after the answer, the echo is lost", true, isEcho, -1},
		// Only a comparison finds what no delivery tells.
		{"after the answer, the edit's delivery is lost", true, isEdit, 100 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, address string) {
				server := ghltest.Start(t)
				client := clientOf(t, server)
				var id string
				var edit atomic.Pointer[func()]
				settings := config(t, address, server)
				settings.ReconcileInterval, settings.CompareInterval = c.reconcile, -1
				besideWrite := func(next http.RoundTripper) http.RoundTripper {
					return roundTripper(func(r *http.Request) (*http.Response, error) {
						do := func() {}
						if r.Method == http.MethodPut {
							if f := edit.Swap(nil); f != nil {
								do = *f
							}
						}
						if !c.after {
							do()
						}
						resp, err := next.RoundTrip(r)
						if c.after {
							do()
						}
						return resp, err
					})
				}
				settings.Locations[0].ClientOptions = append(settings.Locations[0].ClientOptions,
					ghl.WithMiddleware(besideWrite))
				s := start(t, settings)
				handler, err := s.WebhookHandler()
				require.NoError(t, err)
				var dropped atomic.Int64
				server.SubscribeHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					body, err := io.ReadAll(r.Body)
					require.NoError(t, err)
					if c.lost(string(body)) && dropped.Add(1) == 1 {
						return // answered 200, so it is not sent again
					}
					r.Body = io.NopCloser(bytes.NewReader(body))
					handler.ServeHTTP(w, r)
				}))
				contact, err := client.Contacts.Create(t.Context(), &ghl.ContactCreate{FirstName: "Ada",
					LastName: "Byron", Email: "ada@example.com"})
				require.NoError(t, err)
				id = contact.ID
				quiet(t, s, server)

				do := func() {
					_, err := client.Contacts.Update(t.Context(), id, &ghl.ContactUpdate{LastName: ghl.Some("King")})
					require.NoError(t, err)
				}
				edit.Store(&do)
				full, err := s.Pluvo().Full(t.Context(), id)
				require.NoError(t, err)
				ours := full.Contact
				ours.FirstName = "Augusta"
				_, err = s.Pluvo().Put(t.Context(), &ours, pluvo.AnyVersion)
				require.NoError(t, err)
				s.PluvoChanged()
				eventually(t, "both edits are on both sides", func() bool {
					full, err := s.Pluvo().Full(t.Context(), id)
					require.NoError(t, err)
					is, _ := server.Contact(id)
					return full.Contact.FirstName == "Augusta" && full.Contact.LastName == "King" &&
						is.FirstName == "Augusta" && is.LastName == "King"
				})
				quiet(t, s, server)
				require.Positive(t, dropped.Load(), "a delivery was lost")
			})
		})
	}
}

// isEdit reports whether a delivery is that of the person's edit, isEcho whether it is the first that shows the sync's
// write.
func isEdit(body string) bool { return strings.Contains(body, `"King"`) }
func isEcho(body string) bool { return strings.Contains(body, `"Augusta"`) }
