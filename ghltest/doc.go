// Package ghltest is a HighLevel (GHL) API that runs inside a test or a program. It keeps real state: what is created can
// be read, found, changed and deleted through the same endpoints as HighLevel's, in the shapes that HighLevel answers.
//
// In a test:
//
//	func TestGreeting(t *testing.T) {
//		server := ghltest.Start(t)
//		ada := server.AddContact(ghl.Contact{FirstName: "Ada", Email: "ada@example.com"})
//
//		client, err := ghl.New(server.ClientOptions()...)
//		require.NoError(t, err)
//		contact, err := client.Contacts.Get(t.Context(), ada.ID)
//		…
//	}
//
// A program calls [New] and closes the server itself. [NewHandler] makes a fake that does not listen, for a transport or
// server of one's own.
//
// The fake has one location unless [WithLocation] gives others, and one token that reaches it; [Server.AddToken] adds
// tokens with their own scopes, location and expiry. Methods beginning with Add seed it, and so do [WithSeed] and
// [Server.LoadJSON] from a JSON document. What it holds can be inspected
// ([Server.Contacts], [Server.Tasks] and so on), and [Server.Requests] lists the calls that came in, without anything
// secret or personal.
//
// [Server.AddApp] registers an app for OAuth: a consent screen at [Server.AuthorizeURL], codes that become tokens, refresh
// tokens that work once, agencies and their locations. [Server.Install] gives a token without the way through the consent
// screen.
//
// Time is the clock of [WithClock], which [Clock] and [Server.Advance] move: tokens expire, windows of the rate limit
// ([WithLimits]) end and the search index ([WithIndexLag]) catches up by it, so no test has to wait.
//
// Ids are made from a fixed seed, so a test that does the same things in the same order sees the same ids.
package ghltest
