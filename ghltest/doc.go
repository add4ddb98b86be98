// Package ghltest is a fake of the HighLevel (GHL) API that runs inside a test or a program. It stores real state: a
// created record can be read, found, updated and deleted through HighLevel's endpoints, and answers have the form of
// HighLevel's answers.
//
// # Start here
//
// In a test, [Start] starts a server, the Add methods seed it, and [Server.ClientOptions] points a client at it:
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
// A program calls [New] and [Server.Close]. A server of [NewHandler] does not listen: it is called through
// [Server.Transport] in the same process, also in a testing/synctest bubble, or served by a server of the caller's.
//
// Read the stored records with [Server.Contacts], [Server.Tasks] and so on, and the received requests, without their
// secrets, with [Server.Requests].
//
// # Seeds and time
//
// A server has one location and one token for it. [WithLocation] adds locations, and [Server.AddToken] adds tokens
// with their own scopes, location and expiry. [WithSeed] and [Server.LoadJSON] seed records from a JSON document,
// [WithDemoData] a small set of fictional people. An invalid seed, such as a custom field that exists already, fails
// the test of [Start] and panics in a program.
//
// [WithClock] sets the clock. [Clock] and [Server.Advance] move it: tokens expire, windows of the rate limit
// ([WithLimits]) end and the search index ([WithIndexLag]) catches up, so no test has to wait.
//
// # Make requests fail
//
// [Server.Fail] makes requests fail, selected by operation, by count or by chance. Package fault has the kinds of
// faults:
//
//	server.Fail(ghltest.Fault{Operation: "contacts.create", Kind: fault.CutAfterWork(), Times: 1})
//	server.Fail(ghltest.Fault{Kind: fault.BadGatewayHTML(), Chance: 0.05, Seed: 1})
//
// The first fault creates the next contact and closes the connection before the answer. The second one answers one
// request in twenty with a gateway's error page. Other kinds change the values of an answer, as was seen in
// HighLevel's answers.
//
// # Receive webhooks
//
// [Server.Subscribe] sends changes through the API to a URL on this machine, [Server.SubscribeHandler] to a handler
// in the same process:
//
//	server.SubscribeHandler(handler)
//	_, err := client.Contacts.Create(ctx, &ghl.ContactCreate{FirstName: "Ada"})
//	…
//	err = server.Flush(ctx) // the handler has been called
//
// Deliveries are signed with the server's own key pair. Pass [Server.WebhookPublicKeyPEM] to webhook.ParsePublicKey,
// and the result to webhook.WithOnlyKeys. [Server.Sign] signs a body of a test. A refused delivery is repeated by the
// server's clock, or at once by [Server.Redeliver]. [DeliveryFaults] loses, repeats, delays, reorders and forges
// deliveries. [Server.Deliveries] returns each delivery with its outcome.
//
// # Connect an app
//
// [Server.AddApp] registers an app for OAuth, and [Server.AppConfig] points the app's code at the server:
//
//	known := server.AddApp(ghltest.App{RedirectURLs: []string{"https://app.example.com/callback"}})
//	app, err := oauth.NewApp(server.AppConfig(known))
//
// Another program needs two addresses: [Server.AuthorizeURL] in place of
// https://marketplace.gohighlevel.com/v2/oauth/chooselocation, and [Server.URL] in place of
// https://services.leadconnectorhq.com, for the exchange of codes and refresh tokens (/oauth/token) and of a
// company's token for a location's (/oauth/locationToken).
//
// The consent screen consents at once, shows a page with buttons, or denies: see [Consent]. Codes and refresh tokens
// work once; access tokens expire after a day of the server's clock. [Server.Install] and [Server.InstallCompany]
// return tokens without the consent screen, [Server.Uninstall] revokes them, and [Server.OAuthCounts] counts
// refreshes and refused ones.
//
// # What differs from HighLevel's documents
//
// HighLevel's API differs from its documents, and the fake does as the API does:
//
//   - Requests: a slash at the end of a path is accepted. Under 2021-07-28 the value of a custom field is field_value,
//     fieldValue or value. A list without its location is 403. An unknown contact is 400. A company's token reads a
//     location ("locations.get"). startAfter without startAfterId returns the first page.
//   - Answers: lists have names in lower case, and the original names in firstNameRaw and lastNameRaw. Searches have
//     the street as address and birthdays in milliseconds. The search for tasks has _id. A contact's appointments have
//     local times without a zone. An appointment has its status as appointmentStatus and as appoinmentStatus.
//     nextPageUrl has an unreachable host. A deletion answers "succeded".
//   - Writes: the tags of an update replace all tags. Undefined custom fields are ignored without an error. The gender
//     is stored with a new contact and ignored for an existing one. When the e-mail and the phone of an upsert belong
//     to two contacts, the phone is ignored. An upsert by an additional e-mail makes it the primary one, and the
//     contact loses its old primary e-mail. An update of an appointment without a status makes it confirmed.
//   - Paths: an endpoint of HighLevel's documents that the fake does not have is 501 with the endpoint's name, and any
//     other unknown path 404.
//   - Searches: tags are compared with their case, and stored tags are in lower case.
//
// # Many servers, many requests
//
// Servers share nothing, so each test can have its own server and run in parallel. Closing a server frees everything.
//
// Ids are generated from a fixed seed: a test that makes the same calls in the same order gets the same ids.
//
// A read costs little more than net/http and the system need for it, so a load test measures the code under test. The
// benchmarks of this package show the difference.
package ghltest
