// Package ghl is a client of the HighLevel (GoHighLevel, GHL) Contacts API and of what belongs to it: tasks, notes,
// appointments, calendars, tags, followers, campaigns, workflows and the location itself.
//
//	client, err := ghl.New(ghl.WithToken(token), ghl.WithLocation(locationID))
//	…
//	for contact, err := range client.Contacts.All(ctx, nil) {
//		…
//	}
//
// # One call
//
// Every method is one request to one endpoint, and all go the same way: the input is checked ([ErrBadInput], nothing sent),
// the limiter of the location is asked ([NewLimiter]), a token is taken from the source ([TokenSource]), and what fails is
// repeated where that is safe ([RetryPolicy]). What can't be known is said: a create whose answer was lost is [ErrAmbiguous],
// and [CallReadBack] looks for its record. Endpoints without a method go through [Client.Call].
//
// # Tokens
//
// A private integration token is fixed ([WithToken]). For a marketplace app, package github.com/pluvo/ghl/oauth returns token
// sources that renew their tokens and save them before any caller gets them, and a client for each location.
//
// # Errors
//
// Each is an [*Error]; errors.Is tells the categories apart, such as [ErrNotFound] or [ErrDuplicateContact]. Its text names the
// operation, the status and HighLevel's trace id, never a token, a body or a query.
//
// # Records
//
// HighLevel's records often differ from its documents. One odd value never fails a record, and nothing is lost: what has no
// field, or does not fit its field, is in the record's [Extra]. Times come in many forms, some without a zone: see [Time].
// Updates tell absent, null and a value apart: see [Opt].
//
// # Versions
//
// [Version20210728] is the default; [VersionV3] has other paths and field names for the same models and methods.
//
// The facts about the API's behaviour that comments in this package give were observed on live accounts where they go beyond
// the vendor's documents.
package ghl

//go:generate go run ./internal/modelgen
