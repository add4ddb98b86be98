// Package fault has the ways in which a request to a ghltest.Server can fail. ghltest.Server.Fail takes one of them:
//
//	server.Fail(ghltest.Fault{Operation: "contacts.create", Kind: fault.CutAfterWork(), Times: 1})
//	server.Fail(ghltest.Fault{Kind: fault.BadGatewayHTML(), Chance: 0.05, Seed: 1})
//
// The first fault creates the next contact and closes the connection before the answer. The second one answers one
// request in twenty with a gateway's error page.
//
// # Errors
//
// These replace the answer by an error that HighLevel or a gateway in front of it was seen to send, with its body.
// The operation does not run, except with [Kind.AfterWork].
//
//   - 400: [BadRequest], [ContactNotFound], [DuplicateContact], [SlotTaken], [MongoError], [RemovedEndpoint],
//     [InvalidGrant], [GatewayTimeoutAs400]
//   - 401: [InvalidJWT], [InvalidPrivateToken], [MissingScope], [WrongAuthClass], [UserTypeMismatch], [MissingVersion],
//     [AuthorizationCodeNotFound], [CommandTimedOut]
//   - 403: [Forbidden], [WrongLocation], [BlockedByCDN], [CDNErrorCode], [CDNAccessDenied]
//   - 404: [NotFound], [EmptyBody404], [CannotGet404]
//   - 400 or 404: [NotFoundOf]
//   - 408: [RequestTimeout]
//   - 422: [ValidationArray], [ValidationString], [UndeclaredProperty], [CreatedAllTheSame]
//   - 429: [TooManyRequests], [DailyLimitReached]
//   - 500 to 504: [InternalServerError], [BadGatewayHTML], [ServiceUnavailableHTML], [UpstreamConnectError],
//     [GatewayTimeoutHTML]
//   - 520 to 526: [CDNErrorPage]
//   - 200: [SuccessWithError], [SuccessWithPage]
//   - any status: [V3Error], [MismatchedStatus], [Answer]
//
// # Connections
//
//   - cut: [CutBeforeWork], [CutAfterWork], [CutAfterHeaders], [CutBody]
//   - slow: [Hang], [Delay], [SlowBody]
//
// # Wrong answers
//
// These change a success as a whole: [EmptyAnswer], [WrongContentType], [DateSkew], [ZeroLimits], [ZeroDailyLimits].
//
// These change the pages of a list: [IgnoredPaging], [RepeatedCursor], [NullCursors], [ShortPages],
// [MetaWithoutCursor], [MetaWithNullCursor], [CursorOnLastPage], [ZeroCursorOnEmptyPage], [WrongTotal].
//
// # Quirks
//
// The values in HighLevel's answers differ from its documents and from one account to another. These kinds change the
// values of a success in the same ways; [Quirks] returns them.
//
//   - [NumbersAsStrings]: "birthDay": "6".
//   - [StringsAsNumbers]: "postalCode": 10115.
//   - [BooleansAsStrings]: "dnd": "true".
//   - [NullLists]: "tags": null for an empty list, or for named lists.
//   - [ObjectsForStrings]: "companyName": {"name": "Engines"}, also for source, or for named strings.
//   - [StringsForLists]: "attachments": "…" and "followers": "…" as in the documents, or for named lists.
//   - [AdditionalEmailsAsObjects]: "additionalEmails": [{"email": "…"}], also for additionalPhones.
//   - [AdditionalEmailsAsStrings]: "additionalEmails": ["…"], also for additionalPhones.
//   - [CustomFieldValues]: a string, a number, a date in milliseconds, a list of strings, an object of files by id,
//     or null; or given values.
//   - [DatesAs]: a date in ISO form with Z or with an offset, without a zone, as a day, as milliseconds since 1970 in
//     a number or a string, null, "", or the objects {"_seconds": …} and {"$date": …} of databases; see [DateForm].
//   - [RenamedProperty]: "appointment" for "event", "success" for "succeded", or any other.
//   - [MissingProperties]: no startAfter, searchAfter or traceId, or no others.
//   - [UnknownProperties]: undocumented properties in every object.
//   - [UnderscoreIDs]: "_id" for "id".
//   - [MisspelledStatusAlone]: "appoinmentStatus" without "appointmentStatus".
//   - [BookingWithoutTimes]: no startTime and endTime in the answer to a booking.
//   - [FreeSlotsAs]: free slots under "_dates_", in one list, or in a bare list for each day; see [SlotsForm].
//   - [EditorNotes]: "body": "<p>Tom &amp; Jerry</p>" with "bodyText": "Tom & Jerry".
//
// [EditedAnswer] makes any other change.
package fault
