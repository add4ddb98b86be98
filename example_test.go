package ghl_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"strings"
	"time"

	"github.com/jarcoal/httpmock"

	"github.com/pluvo/ghl"
)

// memory holds the answers of an example: a JSON body for each method and path, with the query where it matters.
type memory map[string]string

// exampleClient returns a client that needs no network. It prints the bodies that it sends.
func exampleClient(answers memory) *ghl.Client {
	transport := httpmock.NewMockTransport()
	transport.RegisterNoResponder(httpmock.NewStringResponder(404, `{"message":"not found","statusCode":404}`))
	for route, body := range answers {
		method, path, _ := strings.Cut(route, " ")
		status := http.StatusOK
		if strings.Contains(body, `"statusCode":400`) {
			status = http.StatusBadRequest
		}
		answer := httpmock.NewStringResponder(status, body)
		transport.RegisterResponder(method, path, func(r *http.Request) (*http.Response, error) {
			if r.Body != nil {
				body, err := io.ReadAll(r.Body)
				if err != nil {
					return nil, err
				}
				fmt.Printf("%s %s %s\n", r.Method, r.URL.Path, body)
			}
			return answer(r)
		})
	}
	client, err := ghl.New(
		ghl.WithToken("pit-00000000-0000-0000-0000-000000000000"),
		ghl.WithLocation("ve9EPM428h8vShlRW1KT"),
		ghl.WithHTTPClient(&http.Client{Transport: transport}),
		ghl.WithLimiterFor(func(string) ghl.Limiter { return nil }),
	)
	if err != nil {
		log.Fatal(err)
	}
	return client
}

func ExampleNew() {
	client, err := ghl.New(
		ghl.WithToken("pit-00000000-0000-0000-0000-000000000000"), // a private integration token
		ghl.WithLocation("ve9EPM428h8vShlRW1KT"),                  // the sub-account that calls are about
		ghl.WithUserAgent("acme-crm/2.1 (ops@acme.example)"),
		ghl.WithHTTPClient(&http.Client{Timeout: 30 * time.Second}),
	)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(client.Location())

	// A variant for another location shares the transport and the token.
	other, err := client.With(ghl.WithLocation("C2QujeCh8ZnC7al2InWR"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(other.Location())

	// New checks every option.
	_, err = ghl.New(ghl.WithToken("pit-x"), ghl.WithBaseURL("localhost:8080"))
	fmt.Println(errors.Is(err, ghl.ErrBadInput), err)
	// Output:
	// ve9EPM428h8vShlRW1KT
	// C2QujeCh8ZnC7al2InWR
	// true ghl: the base URL needs the scheme http or https (field BaseURL)
}

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

func ExampleLocationsService_CustomFieldResolver() {
	client := exampleClient(memory{
		"GET /locations/ve9EPM428h8vShlRW1KT/customFields": `{"customFields":[
			{"id":"3sv6UEo51C9Bmpo1cKTq","name":"Shoe size","fieldKey":"contact.shoe_size","dataType":"NUMERICAL"}]}`,
		"POST /contacts/": `{"contact":{"id":"seD4PfOuKoVMLkEZqohJ",
			"customFields":[{"id":"3sv6UEo51C9Bmpo1cKTq","value":38}]}}`,
	})
	ctx := context.Background()
	fields, err := client.Locations.CustomFieldResolver(ctx, "ve9EPM428h8vShlRW1KT")
	if err != nil {
		log.Fatal(err)
	}
	size, err := fields.Set("contact.shoe_size", ghl.ValueOf(38)) // fails if the location has no such field
	if err != nil {
		log.Fatal(err)
	}
	contact, err := client.Contacts.Create(ctx,
		&ghl.ContactCreate{Email: "ada@example.com", CustomFields: []ghl.CustomField{size}})
	if err != nil {
		log.Fatal(err)
	}
	value, _ := fields.Value(contact, "contact.shoe_size")
	number, ok := value.Number()
	fmt.Println("shoe size:", number, ok)
	// Output:
	// POST /contacts/ {"email":"ada@example.com","locationId":"ve9EPM428h8vShlRW1KT","customFields":[{"id":"3sv6UEo51C9Bmpo1cKTq","field_value":38}]}
	// shoe size: 38 true
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

// Calls of endpoints without a method have the same limits, retries and errors.
func ExampleClient_Call() {
	client := exampleClient(memory{
		"GET /locations/ve9EPM428h8vShlRW1KT/customValues/cv1": `{"customValue":{"id":"cv1","name":"Opening hours","value":"9 to 5"}}`,
	})
	op := ghl.Operation{
		Name: "customValues.get", Method: http.MethodGet, Path: "/locations/{locationId}/customValues/{id}",
		Scopes: []ghl.Scope{"locations/customValues.readonly"}, Repeatable: true,
	}
	var out struct {
		CustomValue struct{ Name, Value string } `json:"customValue"`
	}
	if err := client.Call(context.Background(), op, nil, &out, ghl.CallPath("id", "cv1")); err != nil {
		log.Fatal(err)
	}
	fmt.Println(out.CustomValue.Name, "=", out.CustomValue.Value)

	err := client.Call(context.Background(), op, nil, &out, ghl.CallPath("id", "cv2"))
	fmt.Println(errors.Is(err, ghl.ErrNotFound))
	// Output:
	// Opening hours = 9 to 5
	// true
}

func ExampleScopesFor() {
	var needed []ghl.Operation
	for _, op := range ghl.Operations() {
		if op.Name == "contacts.list" || op.Name == "notes.create" || op.Name == "locations.get" {
			needed = append(needed, op)
		}
	}
	fmt.Println(ghl.ScopesFor(needed...))
	// Output: [contacts.readonly contacts.write locations.readonly]
}
