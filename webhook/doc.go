// Package webhook takes what HighLevel (GHL) delivers: verified, decoded, once.
//
//	verifier, err := webhook.NewVerifier() // holds HighLevel's published key
//	…
//	handler, err := webhook.NewHandler(verifier, webhook.WithApp(appID),
//		webhook.OnContactCreatedOrUpdated(func(ctx context.Context, e *webhook.ContactEvent) error {
//			contact, err := e.Refetch(ctx, client) // the event is a hint; this is what is so
//			if errors.Is(err, ghl.ErrNotFound) {
//				return nil // it was deleted since
//			}
//			…
//			return err // an error makes HighLevel deliver the event again
//		}),
//		webhook.OnTask(…),
//		webhook.OnNoteOrAppointment(…))
//	…
//	http.Handle("/webhook", handler)
//
// # One delivery
//
// A [Handler] takes only a POST, reads a bounded body in bounded time, checks the signature over the bytes as they came, the
// app and the age, leaves out what it has kept before, and calls the functions of the routes. Then it answers. Nothing is
// acknowledged before it is kept: when a function fails, panics or takes too long, the answer is 429, the one status after
// which HighLevel delivers again under everything that it has published. So a function must bear being called again for
// the same event.
//
// Where a function takes long, keep the delivery in a queue instead: [WithKeeper]. [Delivery.ID] is its unique key. What
// takes it from there opens it with [Verifier.Open] and hands it to a [Router].
//
// # Events
//
// [Decode] and [Verifier.Open] read a delivery flat, as HighLevel sends it, or with its record under "data", as its guide
// shows. An unknown type is an [*UnknownEvent] with the raw body. Events come at least once and in no order, and those of
// contacts, tasks and notes don't say when the record was changed; there is none for a task that was edited. So take
// an event for a hint that something has happened to a record, and read the record with Refetch. An error of it that no
// repetition mends, such as [ghl.ErrNotFound] for a record that is gone, is yours to handle: returned from a function it only
// makes the event come again.
//
// [FeedInstallations] keeps oauth.Installations as INSTALL and UNINSTALL events tell.
//
// # Security
//
//   - HighLevel signs the deliveries of all apps with one key. Anybody can have an app, and send you what theirs gets: name
//     yours with [WithApp].
//   - The signature is over the bytes. Let nothing before the handler decode, unpack or rewrite the body. The handler does
//     not unpack one either.
//   - Whoever has recorded a delivery can send it again. It is refused when it is older than the replay window
//     ([WithReplayWindow], 72 hours, for honest repetitions keep their first time), and a duplicate when it is remembered
//     by its webhookId, or without one by its bytes. The memory ([Memory]) holds 100,000 deliveries and ends with the
//     process: with a shared [Deduplicator] it does not. A delivery with neither webhookId nor timestamp can't be told from
//     its repetition: it is handled each time, and logged as such; [RequireTimestamp] refuses it.
//   - A request takes at most [WithMaxBody] bytes and [WithReadTimeout]. How many there are at once is for your server to
//     limit. Where a middleware hides the connection from http.ResponseController, the answer comes in time, but a sender
//     that stays silent holds the connection: set the server's own ReadTimeout too.
//   - Workflow actions ("Custom Webhook") are not signed, and so refused.
//   - Errors, logs and answers never say what would have been right, and hold no body and no header.
//
// # In tests
//
// A server of package ghltest delivers to the handler what a test changes (SubscribeHandler), and signs bodies of the
// test's own (Sign). Give its WebhookPublicKey to [WithOnlyKeys].
//
// # Cost
//
// Measured on two cores of an Intel Xeon virtual machine: to verify, decode, deduplicate and hand on a delivery of 1 KB
// takes about 21 µs beyond the signature check, which takes 52 µs itself, and 50 allocations of 4.3 KB in all. The
// functions run in a goroutine of their own, so that their time can be bounded, and that wakes the other core: with one
// (GOMAXPROCS=1) it is 12 µs.
//
//	go test -run '^$' -bench Delivery -benchtime 2s ./webhook
package webhook
