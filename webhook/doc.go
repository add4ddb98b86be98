// Package webhook receives HighLevel's (GHL) webhook deliveries: it verifies, decodes and deduplicates them.
//
//	verifier, err := webhook.NewVerifier() // holds HighLevel's published key
//	…
//	handler, err := webhook.NewHandler(verifier, webhook.WithApp(appID),
//		webhook.OnContactCreatedOrUpdated(func(ctx context.Context, e *webhook.ContactEvent) error {
//			contact, err := e.Refetch(ctx, client) // the event is a hint; this is the current contact
//			if errors.Is(err, ghl.ErrNotFound) {
//				return nil // deleted in the meantime
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
// A [Handler] accepts only POST, reads the body within limits of size and time, and checks the signature over the
// received bytes, the app and the age. It skips a duplicate, calls the functions of the routes, and then responds. It
// acknowledges a delivery only after the functions succeeded. When a function fails, panics or times out, the
// response is 429, the only status after which HighLevel redelivers according to all of its documents. A function
// must therefore be idempotent: it can be called several times for the same event.
//
// If a function takes long, store the delivery in a queue instead, see [WithKeeper]. [Delivery.ID] is its unique key.
// The consumer of the queue opens the delivery with [Verifier.Open] and passes it to a [Router].
//
// # Events
//
// [Decode] and [Verifier.Open] read a flat delivery, as HighLevel sends it, and one with its record under "data", as
// HighLevel's guide shows it. An unknown type is an [*UnknownEvent] with the raw body. Events arrive at least once
// and in any order. Events of contacts, tasks and notes do not have the time of the change, and there is no event for
// an edited task. Treat an event as a hint that a record has changed, and read the record with Refetch. Handle
// permanent errors of Refetch, such as [ghl.ErrNotFound] for a deleted record: a function that returns one only
// causes a redelivery.
//
// [FeedInstallations] updates oauth.Installations from INSTALL and UNINSTALL events.
//
// # Security
//
//   - HighLevel signs the deliveries of all apps with one key. The owner of another app can forward its deliveries to
//     you: set the id of your app with [WithApp].
//   - The signature covers the bytes of the body. No middleware may decode, decompress or rewrite the body before the
//     handler. The handler does not decompress bodies.
//   - An attacker who has recorded a delivery can replay it. A delivery older than the replay window is refused
//     ([WithReplayWindow]; 72 hours, because redeliveries have the time of the first attempt). A delivery with a
//     known webhookId, or without one with known bytes, is a duplicate. [Memory] remembers 100,000 deliveries until
//     the process ends; a shared [Deduplicator] can remember more. A delivery with neither webhookId nor timestamp
//     cannot be distinguished from its repetition: it is handled each time and logged. [RequireTimestamp] refuses it.
//   - A request without a signature of the right form is refused before its body is read. Other requests are limited to
//     [WithMaxBody] bytes and [WithReadTimeout], and the bodies of all of them, until they are verified, to
//     [WithMaxUnverified] bytes. Your server limits headers (MaxHeaderBytes, such as 64 KB) and the number of
//     concurrent requests. If a middleware hides the connection from http.ResponseController, the handler responds in
//     time, but a silent sender holds the connection: set the ReadTimeout of the server too.
//   - Workflow actions ("Custom Webhook") are not signed, and are refused.
//   - Errors, logs and responses never contain an expected value, a body or a header.
//
// # In tests
//
// A server of package ghltest delivers a test's changes to the handler (SubscribeHandler), and signs a test's own
// bodies (Sign). Pass its WebhookPublicKey to [WithOnlyKeys].
//
// # Cost
//
// A delivery of 1 KB takes 32 allocations of 4.3 KB in all. The signature check takes most of the time. The functions
// run in a goroutine of their own, so that their time can be limited. To measure:
//
//	go test -run '^$' -bench Delivery -benchtime 2s ./webhook
package webhook
