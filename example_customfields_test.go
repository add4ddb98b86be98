package ghl_test

import (
	"context"
	"fmt"
	"log"

	"github.com/pluvo/ghl"
)

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

// Set checks a value against the field's definition, because HighLevel drops some values without an error.
func ExampleCustomFieldResolver_Set() {
	server, client := exampleServer()
	defer server.Close() //nolint:errcheck // the program ends
	server.AddCustomField(ghl.CustomFieldDefinition{FieldKey: "contact.plan", Name: "Plan", DataType: "RADIO",
		PicklistOptions: []string{"Basic", "Gold"}})
	server.AddCustomField(ghl.CustomFieldDefinition{FieldKey: "contact.seats", Name: "Seats", DataType: "NUMERICAL"})
	ctx := context.Background()

	fields, err := client.Locations.CustomFieldResolver(ctx, "") // of the client's location
	if err != nil {
		log.Fatal(err)
	}
	plan, err := fields.Set("plan", ghl.ValueOf("Gold"))
	if err != nil {
		log.Fatal(err)
	}
	seats, err := fields.Set("contact.seats", ghl.ValueOf(12))
	if err != nil {
		log.Fatal(err)
	}
	contact, err := client.Contacts.Create(ctx,
		&ghl.ContactCreate{Email: "ada@example.com", CustomFields: []ghl.CustomField{plan, seats}})
	if err != nil {
		log.Fatal(err)
	}
	for _, key := range []string{"plan", "seats"} {
		value, _ := fields.Value(contact, key)
		fmt.Println(key, value)
	}

	_, err = fields.Set("plan", ghl.ValueOf("gold"))
	fmt.Println(err)
	_, err = fields.Set("seat", ghl.ValueOf(12))
	fmt.Println(err)
	// Output:
	// plan Gold
	// seats 12
	// ghl: the custom field contact.plan has a value that is not exactly one of its options: "Basic", "Gold"; did you mean "Gold"? (field CustomFields)
	// ghl: the location has no custom field "seat"; did you mean seats? (field CustomFields)
}
