// Package ghltest is a HighLevel (GHL) API that runs inside a test or a program. It keeps real state: what is created can
// be read, found, changed and deleted through the same endpoints as HighLevel's, in the shapes that HighLevel answers.
//
// # Seed and read
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
// A program calls [New] and closes the server itself. [NewHandler] makes a fake that does not listen: it is reached by
// [Server.Transport] in the same process, also inside of testing/synctest, or by a server of one's own.
//
// The fake has one location unless [WithLocation] gives others, and one token that reaches it; [Server.AddToken] adds
// tokens with their own scopes, location and expiry. Methods beginning with Add seed it, and so do [WithSeed] and
// [Server.LoadJSON] from a JSON document. What it holds can be inspected
// ([Server.Contacts], [Server.Tasks] and so on), and [Server.Requests] lists the calls that came in, without
// their secrets.
//
// Time is the clock of [WithClock], which [Clock] and [Server.Advance] move: tokens expire, windows of the rate limit
// ([WithLimits]) end and the search index ([WithIndexLag]) catches up by it, so no test has to wait.
//
// # Make requests fail
//
// [Server.Fail] makes requests fail, selected by operation, by count or by chance. Package fault has the ways to fail:
//
//	server.Fail(ghltest.Fault{Operation: "contacts.create", Kind: fault.CutAfterWork(), Times: 1})
//	server.Fail(ghltest.Fault{Kind: fault.BadGatewayHTML(), Chance: 0.05, Seed: 1})
//
// The first fault creates the next contact and closes the connection before the answer; the second one answers one request in
// twenty with a gateway's error page. Other kinds change the values of an answer as HighLevel was seen to.
//
// # Receive a webhook
//
// [Server.Subscribe] sends the changes that are made through the API to a URL on this machine, [Server.SubscribeHandler] to a
// handler in the same process:
//
//	server.SubscribeHandler(handler)
//	_, err := client.Contacts.Create(ctx, &ghl.ContactCreate{FirstName: "Ada"})
//	…
//	err = server.Flush(ctx) // the handler has been called
//
// Deliveries are signed by a key pair of the server's own, whose public half is [Server.WebhookPublicKey]; give
// [Server.WebhookPublicKeyPEM] to webhook.ParsePublicKey and that to webhook.WithOnlyKeys. [Server.Sign] signs a body of the
// test's. A refused delivery is repeated by the server's clock, or at once by [Server.Redeliver]. Options make
// deliveries get lost, come twice, late or in another order, or with a forged signature: see [DeliveryFaults]. What became of
// each is in [Server.Deliveries].
//
// # Connect an app
//
// [Server.AddApp] registers an app for OAuth, and [Server.AppConfig] points the app's code at the fake:
//
//	known := server.AddApp(ghltest.App{RedirectURLs: []string{"https://app.example.com/callback"}})
//	app, err := oauth.NewApp(server.AppConfig(known))
//
// Another program needs two addresses: [Server.AuthorizeURL] in place of
// https://marketplace.gohighlevel.com/v2/oauth/chooselocation, and [Server.URL] in place of
// https://services.leadconnectorhq.com, where codes and refresh tokens become tokens (/oauth/token) and a company's token
// those of its locations (/oauth/locationToken).
//
// The consent screen consents at once, or shows a page with buttons, or denies: see [Consent]. Codes work once and so do
// refresh tokens; access tokens end after a day of the fake's clock. [Server.Install] and [Server.InstallCompany] give tokens
// without the way through the consent screen, [Server.Uninstall] takes them away, and [Server.OAuthCounts] counts refreshes
// and those that came too late.
//
// # What differs from HighLevel's documents
//
// Some oddities are the rule at HighLevel, and so they are here, without any fault: a contact that is not found is a 400; lists
// have names in lower case with the original in firstNameRaw and lastNameRaw; searches have the street as address and
// birthdays in milliseconds; the search for tasks has _id; a contact's appointments have local times without a zone;
// nextPageUrl names a host that nobody reaches; startAfter without startAfterId gives page one again; tags of an update
// replace all; custom fields that the location does not define, and the gender, are dropped in silence; when an upsert's
// e-mail and phone belong to two contacts the phone is dropped; a deletion answers "succeded".
//
// # Load
//
// A read takes a few microseconds beyond what net/http and the system need: one core answers well over 10,000 requests a second
// with the client's work included, so a load test measures its own code. The benchmarks of this package show how many.
//
// # Many at once
//
// Servers share nothing, so each test can have its own and run in parallel. Nothing of a server is left when it is closed.
//
// Ids are made from a fixed seed, so a test that does the same things in the same order sees the same ids.
package ghltest
