// Package ghl is a client of the HighLevel (GoHighLevel, GHL) Contacts API and the parts of the API around it:
// tasks, notes, appointments, calendars, tags, followers, campaigns, workflows and locations.
//
//	client, err := ghl.New(ghl.WithToken(token), ghl.WithLocation(locationID))
//	…
//	for contact, err := range client.Contacts.All(ctx, nil) {
//		…
//	}
//
// # One call
//
// Every method sends one request to one endpoint. It checks the input ([ErrBadInput], nothing is sent), waits for
// the location's limiter ([NewLimiter]), gets a token from the source ([TokenSource]), and retries failures when
// that is safe ([RetryPolicy]). A create whose answer was lost returns [ErrAmbiguous]; with [CallReadBack] it looks
// for the record. Use [Client.Call] for endpoints without a method.
//
// # Tokens
//
// A private integration has one fixed token ([WithToken]). For a marketplace app, package
// github.com/pluvo/ghl/oauth has token sources that renew their tokens and save them before any caller gets them,
// and a client for each location.
//
// # Errors
//
// Every error of a call is an [*Error]. Use errors.Is to test for a category, such as [ErrNotFound] or
// [ErrDuplicateContact]. The text has the operation, the status and HighLevel's trace id, but never a token, a body
// or a query.
//
// # Records
//
// HighLevel's records often differ from its documents. A value of an unexpected type does not fail the record, and
// nothing is lost: properties without a field, and values that do not fit their field, are in the record's [Extra].
// Times have many forms, some without a zone, see [Time]. Fields of updates are absent, null or a value, see [Opt].
//
// # Versions
//
// [Version20210728] is the default; [VersionV3] has other paths and field names for the same models and methods.
//
// Where comments in this package describe behaviour that the vendor does not document, it was observed on live
// accounts.
package ghl

//go:generate go run ./internal/modelgen
