// Package mapping maps records between HighLevel (package ghl) and Pluvo (package pluvo), both ways: contacts with
// their tags, tasks, notes and appointments.
//
//	mapper, err := mapping.New(mapping.Options{Location: locationID, TimeZone: zone})
//	…
//	contact, report, err := mapper.Contact(from)           // GHL → Pluvo
//	…
//	change, report, err := mapper.ContactUpdate(now, last) // Pluvo → GHL: the difference from the last known state
//
// Each mapping returns a [Report] of the values that it mapped, changed or left out, with the reasons. The mapper
// guesses nothing: it splits a name only if GHL has the whole name only, it leaves a phone number as it is unless a
// [PhoneNormalizer] writes it in E.164, and it reads a time without a zone only in the location's time zone. Every
// record that it returns is valid for Pluvo: it leaves out a value that Pluvo refuses, and returns an [*Error] if the
// record is invalid without the value.
//
// # To HighLevel
//
// A create has every value of the record. An update has the difference from the last state that GHL is known to have:
// a field that is the same is absent, a field that was cleared is null. Tags are additions and removals, so that
// other tags in GHL stay. Values are compared in the form in which GHL stores them.
//
// A [Field] reads, writes and compares one field of a record. A sync uses it to merge two states of a record.
//
// # Rules
//
// Rules decide which field goes where. [Template] returns the rules of a mapper without rules of its own, in a file
// to start from; [LoadRules] reads a file in YAML or JSON. It refuses a file with a mistake as a whole: [RulesError]
// lists each mistake with its line and column.
//
//	version: 1
//	contact:
//	  - {ghl: email, pluvo: email, required: true}
//	  - {ghl: custom.contact.stage, pluvo: stage, transform: {options: {New lead: lead, Won: customer}}}
//	  - {ghl: dateOfBirth, pluvo: fields.birthday, transform: [{date: DD.MM.YYYY}]}
//	  - {ghl: source, pluvo: fields.source, direction: toPluvo, default: unknown}
//
// The rules of a kind of record (contact, task, note, appointment) replace the template's rules of that kind. A rule
// has:
//
//   - ghl: a field by its name in GHL's JSON. A contact also has custom.KEY and custom.ID, which are found in the
//     location's definitions. A task's status is derived; a note's appointmentId is the one that the caller gives.
//   - pluvo: a field by its name in Pluvo's JSON. A contact also has fields.NAME.
//   - direction: both (the default), toPluvo or toGHL. A field that GHL does not accept must be toPluvo.
//   - required: true refuses a record without a value.
//   - default: the value for a record that has none; for both directions {pluvo: …, ghl: …}.
//   - transform: one or a list, applied in this order on the way to Pluvo and backwards on the way to GHL:
//     trim; case: lower or upper; phone; date: a form of YYYY, MM, DD, HH, mm, ss and Z, or {ghl: …, pluvo: …};
//     join: and split: with the text between the items; options: a table of GHL's words and Pluvo's.
//
// A file is refused for unknown fields, two rules with one target, types that cannot be converted, options that the
// field in GHL does not have, and rules of both directions that can only be used in one. Numbers, days, times
// and switches are converted to text and back without a transform.
//
// # What is lost
//
// A record that goes from Pluvo to HighLevel and back, or the other way, stays the same except for what one side does
// not store.
//
// With the template's rules, HighLevel does not store of Pluvo's records:
//
//   - a contact's stage and fields (rules can map them to custom fields); the case and the order of tags, and spaces
//     around them;
//   - a change of an e-mail that changes its case only; a phone with letters or an extension. HighLevel writes a phone
//     in E.164 by its own rules unless the normaliser does;
//   - a task's status, which is derived; a task without a title or due date; fractions of a millisecond of the due
//     date;
//   - a note's creation time and appointment; a note without text;
//   - an appointment's status that HighLevel does not have, or sets with VersionV3 only; an empty status, title or
//     assigned user, which HighLevel fills in; an assigned user that is not a user of HighLevel; fractions of a second
//     of its times; an end that is not after its start;
//   - that a task's title or due date, a note's content, or an appointment's start, end, status or assigned user was
//     cleared: HighLevel keeps the value;
//   - the owner: an update never moves a record to another contact.
//
// With the template's rules, Pluvo does not store of HighLevel's records what the report lists as left out:
// addresses, the company, do-not-disturb, custom fields, the description of a task, the author of a note, the
// calendar of an appointment and more. An update never changes these. It also does not store:
//
//   - whether a name came as one field or as two: it goes back as two;
//   - an empty or repeated tag; an e-mail without an @; an end before the start;
//   - an invalid time, and a time without a zone if the location's zone is unknown;
//   - a record without an id, a task without a title, a note without text, an appointment without a start; a deleted
//     appointment, in [Mapper.FullContact];
//   - which of two hours is meant when clocks are set back, for a time without a zone: the first. The endpoints of
//     calendars return times with a zone.
//
// Rules add what they change: spaces, case, words that are not in a table of options, a list with the separator in an
// item, the time of the day of a field that is a day.
//
// # Cost
//
// A contact with five tasks, five notes and two appointments takes 10 allocations (12 KB) with the template's rules,
// its report included. Measure it with
//
//	go test -run='^$' -bench=FullContact -benchmem ./mapping
package mapping
