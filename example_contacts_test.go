package ghl_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/ghltest/fault"
)

func ExampleContactsService_Get() {
	client := exampleClient(memory{
		"GET /contacts/seD4PfOuKoVMLkEZqohJ": `{"contact":{"id":"seD4PfOuKoVMLkEZqohJ","firstName":"Ada","lastName":"Lovelace","email":"ada@example.com",
			"tags":["vip"],"dateAdded":"2026-01-15T09:30:00.000Z","customFields":[{"id":"MgobCB14YMVKuE4Ka8p1","value":42}]}}`,
	})
	contact, err := client.Contacts.Get(context.Background(), "seD4PfOuKoVMLkEZqohJ")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(contact.FirstName, contact.LastName, contact.Email, contact.Tags)
	if added, ok := contact.DateAdded.Instant(); ok {
		fmt.Println("added", added.Format(time.DateOnly))
	}
	for _, field := range contact.CustomFields {
		n, _ := field.Value.Number()
		fmt.Println(field.ID, n)
	}
	// Output:
	// Ada Lovelace ada@example.com [vip]
	// added 2026-01-15
	// MgobCB14YMVKuE4Ka8p1 42
}

func ExampleContactsService_All() {
	client := exampleClient(memory{
		"GET /contacts/": `{"contacts":[{"id":"a","email":"a@example.com"},{"id":"b","email":"b@example.com"}],"meta":{"total":3,"startAfter":1700000000000,"startAfterId":"b"}}`,
		"GET /contacts/?limit=100&locationId=ve9EPM428h8vShlRW1KT&startAfter=1700000000000&startAfterId=b": `{"contacts":[{"id":"c","email":"c@example.com"}],"meta":{"total":3,"startAfter":null,"startAfterId":""}}`,
	})
	for contact, err := range client.Contacts.All(context.Background(), nil) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(contact.Email)
		if contact.ID == "c" {
			break // no further page is read
		}
	}
	// Output:
	// a@example.com
	// b@example.com
	// c@example.com
}

func ExampleContactsService_Pages() {
	client := exampleClient(memory{
		"GET /contacts/": `{"contacts":[{"id":"a"},{"id":"b"}],"meta":{"total":3,"startAfter":1700000000000,"startAfterId":"b"}}`,
		"GET /contacts/?limit=100&locationId=ve9EPM428h8vShlRW1KT&startAfter=1700000000000&startAfterId=b": `{"contacts":[{"id":"c"}],"meta":{"total":3,"startAfter":null,"startAfterId":""}}`,
	})
	var bookmark ghl.Cursor
	for page, err := range client.Contacts.Pages(context.Background(), nil) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(len(page.Contacts), "of", page.Total)
		bookmark = page.Next // text that may be stored
		break
	}
	for contact, err := range client.Contacts.All(context.Background(), &ghl.ListContactsOptions{After: bookmark}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("later:", contact.ID)
	}
	// Output:
	// 2 of 3
	// later: c
}

func ExampleContactsService_Update() {
	client := exampleClient(memory{
		"PUT /contacts/seD4PfOuKoVMLkEZqohJ": `{"succeded":true,"contact":{"id":"seD4PfOuKoVMLkEZqohJ"}}`,
	})
	_, err := client.Contacts.Update(context.Background(), "seD4PfOuKoVMLkEZqohJ", &ghl.ContactUpdate{
		FirstName: ghl.Some("Ada"),      // set
		Website:   ghl.Null[string](),   // clear
		DND:       ghl.Some(false),      // set, though it is the zero value
		LastName:  ghl.Opt[string]{},    // no change, as for every field that is not set
		Tags:      ghl.Some([]string{}), // remove all tags
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// PUT /contacts/seD4PfOuKoVMLkEZqohJ {"firstName":"Ada","website":null,"dnd":false,"tags":[]}
}

func ExampleContactsService_Create_duplicate() {
	client := exampleClient(memory{
		"POST /contacts/": `{"statusCode":400,"message":"This location does not allow duplicated contacts.",
			"meta":{"contactName":"Ada Lovelace","contactId":"seD4PfOuKoVMLkEZqohJ","matchingField":"email"},"traceId":"0e1a9b1c"}`,
	})
	_, err := client.Contacts.Create(context.Background(),
		&ghl.ContactCreate{FirstName: "Ada", Email: "ada@example.com"})
	var e *ghl.Error
	if errors.Is(err, ghl.ErrDuplicateContact) && errors.As(err, &e) && e.Duplicate != nil {
		fmt.Println("existing contact:", e.Duplicate.ContactID, e.Duplicate.ContactName, "with the same",
			e.Duplicate.MatchingField)
	}
	// Output:
	// POST /contacts/ {"firstName":"Ada","email":"ada@example.com","locationId":"ve9EPM428h8vShlRW1KT"}
	// existing contact: seD4PfOuKoVMLkEZqohJ Ada Lovelace with the same email
}

func ExampleContactsService_Search() {
	client := exampleClient(memory{
		"POST /contacts/search": `{"contacts":[{"id":"a","contactName":"Ada Lovelace","searchAfter":[1767225600000,"a"]}],"total":1}`,
	})
	page, err := client.Contacts.Search(context.Background(), &ghl.SearchRequest{
		PageLimit: 50,
		Filters: []ghl.Filter{
			ghl.FieldDateUpdated.GTE(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)),
			ghl.AnyOf(
				ghl.FieldTags.Contains([]string{"vip"}),
				ghl.FieldCustom("MgobCB14YMVKuE4Ka8p1").Eq("gold"),
			),
		},
		Sort: []ghl.SearchField{ghl.FieldDateUpdated.Desc()},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(page.Total, page.Contacts[0].ContactName)

	// Input that the API would refuse is refused before it is sent.
	_, err = client.Contacts.Search(context.Background(), &ghl.SearchRequest{PageLimit: 1000})
	fmt.Println(err)
	// Output:
	// POST /contacts/search {"locationId":"ve9EPM428h8vShlRW1KT","pageLimit":50,"filters":[{"field":"dateUpdated","operator":"range","value":{"gte":"2026-01-01T00:00:00.000Z"}},{"group":"OR","filters":[{"field":"tags","operator":"contains","value":["vip"]},{"field":"customFields.MgobCB14YMVKuE4Ka8p1","operator":"eq","value":"gold"}]}],"sort":[{"field":"dateUpdated","direction":"desc"}]}
	// 1 Ada Lovelace
	// ghl: contacts.search: PageLimit must be 1 to 500 (field PageLimit)
}

func ExampleTagsService_Add() {
	client := exampleClient(memory{
		"POST /contacts/seD4PfOuKoVMLkEZqohJ/tags": `{"tags":["customer","vip"]}`,
	})
	tags, err := client.Tags.Add(context.Background(), "seD4PfOuKoVMLkEZqohJ", []string{"VIP"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(tags)
	// Output:
	// POST /contacts/seD4PfOuKoVMLkEZqohJ/tags {"tags":["VIP"]}
	// [customer vip]
}

func ExampleContactsService_Upsert() {
	server, client := exampleServer()
	defer server.Close() //nolint:errcheck // the program ends
	ctx := context.Background()

	first, err := client.Contacts.Upsert(ctx, &ghl.ContactUpsert{
		Email: ghl.Some("ada@example.com"), FirstName: ghl.Some("Ada"), Source: ghl.Some("newsletter"),
	})
	if err != nil {
		log.Fatal(err)
	}
	second, err := client.Contacts.Upsert(ctx, &ghl.ContactUpsert{
		Email: ghl.Some("ada@example.com"), LastName: ghl.Some("Lovelace"),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("new:", first.New, second.New, "same contact:", first.Contact.ID == second.Contact.ID)
	fmt.Println(second.Contact.FirstName, second.Contact.LastName, second.Contact.Source)

	// An upsert finds the contact by its e-mail address or phone number, so one of them is required.
	_, err = client.Contacts.Upsert(ctx, &ghl.ContactUpsert{FirstName: ghl.Some("Ada")})
	fmt.Println(errors.Is(err, ghl.ErrBadInput))
	// Output:
	// new: true false same contact: true
	// Ada Lovelace newsletter
	// true
}

// Null clears a field, and so does an empty text. A field that is not set keeps its value.
func ExampleNull() {
	server, client := exampleServer()
	defer server.Close() //nolint:errcheck // the program ends
	ada := server.AddContact(ghl.Contact{Email: "ada@example.com", City: "London", Website: "https://ada.example",
		Source: "newsletter"})

	contact, err := client.Contacts.Update(context.Background(), ada.ID, &ghl.ContactUpdate{
		City:    ghl.Null[string](),
		Website: ghl.Some(""),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%q %q %q\n", contact.City, contact.Website, contact.Source)

	// An update that changes nothing is refused before it is sent.
	_, err = client.Contacts.Update(context.Background(), ada.ID, &ghl.ContactUpdate{})
	fmt.Println(err)
	// Output:
	// "" "" "newsletter"
	// ghl: contacts.update: the update sets no field (field ContactUpdate)
}

// The fields of an update print as they are sent.
func ExampleOpt() {
	update := ghl.TaskUpdate{Title: ghl.Some("Call back"), AssignedTo: ghl.Null[string]()}
	fmt.Printf("%+v\n", update)
	// Output:
	// {Title:Call back Body:(absent) DueDate:(absent) Completed:(absent) AssignedTo:null}
}

// The answer to a create is lost. CallReadBack looks for the contact before it returns an error.
func ExampleCallReadBack() {
	server, client := exampleServer()
	defer server.Close() //nolint:errcheck // the program ends
	server.Fail(ghltest.Fault{Operation: "contacts.create", Kind: fault.CutAfterWork(), Times: 2})
	ctx := context.Background()

	_, err := client.Contacts.Create(ctx, &ghl.ContactCreate{Email: "ada@example.com"})
	fmt.Println("without:", errors.Is(err, ghl.ErrAmbiguous))

	contact, err := client.Contacts.Create(ctx, &ghl.ContactCreate{Email: "grace@example.com"}, ghl.CallReadBack())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("with:", contact.Email)
	// Output:
	// without: true
	// with: grace@example.com
}

// SearchAll reads a page at a time. A break ends it: no further page is read.
func ExampleContactsService_SearchAll() {
	server, client := exampleServer()
	defer server.Close() //nolint:errcheck // the program ends
	for i := range 5 {
		server.AddContact(ghl.Contact{Email: fmt.Sprintf("user%d@example.com", i), City: "Rome", Tags: []string{"vip"}})
	}
	server.AddContact(ghl.Contact{Email: "other@example.com", City: "Rome"})

	search := &ghl.SearchRequest{
		PageLimit: 2,
		Filters:   []ghl.Filter{ghl.FieldTags.Contains("VIP"), ghl.FieldCity.Eq("Rome")}, // tags are sent in lower case
		Sort:      []ghl.SearchField{ghl.FieldEmail},
	}
	fmt.Println(search.Filters)
	found := 0
	for contact, err := range client.Contacts.SearchAll(context.Background(), search) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(contact.Email)
		if found++; found == 3 {
			break
		}
	}
	fmt.Println("requests:", len(server.Requests()))
	// Output:
	// [tags contains "vip" city eq "Rome"]
	// user0@example.com
	// user1@example.com
	// user2@example.com
	// requests: 2
}

// A program that reads all contacts stores the cursor of each page. After a restart it resumes there.
func ExampleCursor() {
	server, client := exampleServer()
	defer server.Close() //nolint:errcheck // the program ends
	for i := range 5 {
		server.AddContact(ghl.Contact{Email: fmt.Sprintf("user%d@example.com", i)})
	}
	ctx := context.Background()
	search := ghl.SearchRequest{PageLimit: 2, Sort: []ghl.SearchField{ghl.FieldEmail}}

	var stored string // such as a column of a database
	for page, err := range client.Contacts.SearchPages(ctx, &search) {
		if err != nil {
			log.Fatal(err)
		}
		for _, contact := range page.Contacts {
			fmt.Println(contact.Email)
		}
		stored = string(page.Next)
		break // the program is stopped
	}

	search.After = ghl.Cursor(stored)
	for contact, err := range client.Contacts.SearchAll(ctx, &search) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("resumed:", contact.Email)
	}
	// Output:
	// user0@example.com
	// user1@example.com
	// resumed: user2@example.com
	// resumed: user3@example.com
	// resumed: user4@example.com
}

// Errors have categories for errors.Is, and details for errors.As.
func ExampleError() {
	server, client := exampleServer()
	defer server.Close() //nolint:errcheck // the program ends

	_, err := client.Contacts.Get(context.Background(), "seD4PfOuKoVMLkEZqohJ")
	var e *ghl.Error
	switch {
	case errors.Is(err, ghl.ErrNotFound):
		fmt.Println("the contact is deleted")
	case errors.Is(err, ghl.ErrRateLimited), errors.Is(err, ghl.ErrServer):
		fmt.Println("try again later")
	}
	if errors.As(err, &e) {
		fmt.Println(e.Operation, e.Status, e.Attempts)
	}
	// Output:
	// the contact is deleted
	// contacts.get 400 1
}
