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
// # Make it fail
//
// [Server.Fail] makes requests go wrong, chosen by operation, by count or by chance:
//
//	server.Fail(ghltest.Fault{Operation: "contacts.create", Kind: ghltest.CutAfterWork(), Times: 1})
//	server.Fail(ghltest.Fault{Kind: ghltest.BadGatewayHTML(), Chance: 0.05, Seed: 1})
//
// The first contact that is created from then on is there, but its caller only sees the connection end; and one request in
// twenty meets a gateway's error page. A [Kind] is one of these:
//
//   - an answer that HighLevel or a gateway before it was seen to give, with its body: [InternalServerError], [BadGatewayHTML],
//     [ServiceUnavailableHTML], [UpstreamConnectError], [GatewayTimeoutHTML], [RequestTimeout], [TooManyRequests],
//     [DailyLimitReached], [CommandTimedOut], [InvalidJWT], [InvalidPrivateToken], [InvalidGrant], [MissingScope],
//     [WrongAuthClass], [UserTypeMismatch], [MissingVersion], [AuthorizationCodeNotFound], [Forbidden], [WrongLocation],
//     [BlockedByCDN], [BadRequest], [ContactNotFound], [NotFound], [MongoError], [DuplicateContact], [SlotTaken],
//     [RemovedEndpoint], [EmptyBody404], [CannotGet404], [ValidationArray], [ValidationString], [UndeclaredProperty],
//     [V3Error], [MismatchedStatus], or [Answer] for any other. [Kind.AfterWork] lets the work be done all the same, and
//     [CreatedAllTheSame] is that for a 422;
//   - a connection that breaks: [CutBeforeWork], [CutAfterWork], [CutAfterHeaders], [CutBody], or that takes its time: [Hang],
//     [Delay], [SlowBody];
//   - a success that is odd: [EmptyAnswer], [WrongContentType], [DateSkew], [IgnoredPaging], [RepeatedCursor], [NullCursors];
//   - a success with odd values: [NumbersAsStrings], [StringsAsNumbers], [BooleansAsStrings], [NullLists], [ObjectsForStrings],
//     [StringsForLists], [AdditionalEmailsAsObjects], [AdditionalEmailsAsStrings], [DatesAs], [CustomFieldValues],
//     [UnderscoreIDs], [RenamedProperty], [MissingProperties], [UnknownProperties], or [EditedAnswer] for any other.
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
// Deliveries are signed by a key pair of the server's own, whose public half is [Server.WebhookPublicKey]; [Server.Sign] signs
// a body of the test's. A refused delivery is repeated by the server's clock, or at once by [Server.Redeliver]. Options make
// deliveries get lost, come twice, late or in another order, or with a forged signature: see [DeliveryFaults]. What became of
// each is in [Server.Deliveries].
//
// # Many at once
//
// Servers share nothing, so each test can have its own and run in parallel. Nothing of a server is left when it is closed.
//
// Ids are made from a fixed seed, so a test that does the same things in the same order sees the same ids.
package ghltest
