// Package mapping carries records between HighLevel (package ghl) and Pluvo (package pluvo), both ways: contacts with their
// tags, tasks, notes and appointments.
//
//	mapper, err := mapping.New(mapping.Options{Location: locationID, TimeZone: zone})
//	…
//	contact, report, err := mapper.Contact(from)      // GHL → Pluvo
//	…
//	change, report, err := mapper.ContactUpdate(now, last) // Pluvo → GHL: what differs from the last known state
//
// Nothing is guessed and nothing is lost in silence. A name is split only where GHL gave one field, a phone number is kept
// as written unless it can be placed ([PhoneNormalizer]), a time without a zone needs the location's, and each mapping
// gives a [Report] of what was mapped, what was left out, and why. What comes out passes Pluvo's validation: a value that
// does not is left out, and a record that cannot do without it is an [*Error].
//
// # To HighLevel
//
// Creates have all that the record has. Updates have what differs from the last state that GHL is known to have: what is the
// same is absent, what was cleared is null, and tags are additions and removals, so that tags that somebody else has set
// meanwhile stay. Values are compared in the form that GHL gives them, so what it has made of one is no difference.
//
// A [Field] gives access to one field of any record: what a merge of two sides, or a comparison with what was written last,
// needs.
//
// # Rules
//
// [LoadRules] reads a mapping from a file, JSON or YAML, and [Template] is one to start from. A file that has a mistake is
// refused as a whole, with every mistake and its line. Rules are compiled once, and cost about what the functions do.
//
//	version: 1
//	contact:
//	  - {ghl: email, pluvo: email, required: true}
//	  - {ghl: custom.contact.stage, pluvo: stage, transform: {options: {New lead: lead, Won: customer}}}
//	  - {ghl: dateOfBirth, pluvo: fields.birthday, transform: [{date: DD.MM.YYYY}]}
//	  - {ghl: source, pluvo: fields.source, direction: toPluvo, default: unknown}
//
// A kind of record (contact, task, note, appointment) that the file names is mapped by its rules alone; others as without a
// file. A rule has:
//
//   - ghl: a field by its name in GHL's JSON; of a contact also custom.KEY or custom.ID, found in the location's
//     definitions. A task's status is the derived one, a note's appointmentId the one that is known from elsewhere.
//   - pluvo: a field by its name in Pluvo's JSON; of a contact also fields.NAME.
//   - direction: both (the default), toPluvo or toGHL. A field that GHL does not take must be toPluvo.
//   - required: true refuses the record if there is no value.
//   - default: what stands there if there is none; for both directions {pluvo: …, ghl: …}.
//   - transform: one or a list, on the way to Pluvo in their order and backwards the other way:
//     trim; case: lower or upper; phone; date: a form of YYYY, MM, DD, HH, mm, ss and Z, or {ghl: …, pluvo: …};
//     join: and split: with the text between the items; options: a table of GHL's words and Pluvo's.
//
// Refused are fields that do not exist, two rules for one target, types that cannot become each other, options that the
// field in GHL does not have, and a rule of both directions for which there is only one: a field or a table without a way
// back. Numbers, days, times and switches become text by themselves, and back.
//
// # What is not held
//
// A record that went from Pluvo to HighLevel and back, or the other way, is the same but for what one side does not hold.
//
// HighLevel does not hold of Pluvo's records, without rules:
//
//   - a contact's stage and fields (rules can give them custom fields); the case of tags, spaces around them, and their
//     order;
//   - a change of nothing but the case of an e-mail; a phone that is no number, or one with an extension; any that is not in
//     E.164, unless the normaliser places it, for HighLevel makes E.164 of it by its own rules;
//   - a task's status, which is derived; a task without a title or due date; less than a millisecond of the due date;
//   - a note's creation time and appointment; a note without text;
//   - an appointment's status that HighLevel does not have, or sets with VersionV3 only; an empty status, title or assigned
//     user, for HighLevel fills them in; an assigned user that is no user of HighLevel's; less than a second of its times;
//     an end that is not after its start;
//   - that a task's title or due date, a note's content, or an appointment's start, end, status or assigned user was cleared:
//     it stays there as it was;
//   - the owner: no update moves a record to another contact.
//
// Pluvo does not hold of HighLevel's records, without rules, whatever the report lists as left out: addresses, the company,
// do-not-disturb, custom fields, the description of a task, who wrote a note, the calendar of an appointment and more. An
// update never touches them. Of what it holds:
//
//   - whether a name came as one field or as two: it is kept as two, and goes back so;
//   - a tag that is empty or comes twice; an e-mail without an @; an end before the start;
//   - a time that is none, and one without a zone where the location's is not known;
//   - a record without an id, a task without a title, a note without text, an appointment without a start; a deleted
//     appointment, in [Mapper.FullContact];
//   - which of two hours is meant when clocks are set back, where the time came without a zone: the first. The calendar's
//     endpoints give times with a zone.
//
// Rules add what they change on the way: trimmed text, another case, options that are not in a table, a list whose items
// hold what comes between them, the time of day of a field that is a day.
//
// # Cost
//
// A contact with five tasks, five notes and two appointments, with its report: 10 allocations by the functions, 11 by the
// rules of the template (12 KB each), measured by
//
//	go test -run='^$' -bench=FullContact ./mapping
package mapping
