package spec

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/ghltest/fault"
)

// noteDocument describes two operations correctly.
const noteDocument = `{
  "openapi": "3.0.0", "info": {"title": "tiny", "version": "1"},
  "servers": [{"url": "https://services.leadconnectorhq.com"}],
  "paths": {
    "/contacts/{contactId}/notes": {"post": {
      "parameters": [{"name": "Version", "in": "header", "required": true, "schema": {"type": "string"}}],
      "requestBody": {"required": true, "content": {"application/json": {"schema": {"type": "object", "required": ["body"], "properties": {
        "body": {"type": "string"}, "title": {"type": "string"}, "color": {"type": "string"}, "pinned": {"type": "boolean"}, "userId": {"type": "string"}}}}}},
      "responses": {
        "201": {"description": "", "content": {"application/json": {"schema": {"type": "object", "properties": {"note": {"$ref": "#/components/schemas/Note"}}}}}},
        "401": {"description": "", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}}},
        "422": {"description": "", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Refusals"}}}}}}},
    "/contacts/{contactId}/notes/{id}": {"get": {
      "responses": {
        "200": {"description": "", "content": {"application/json": {"schema": {"type": "object", "properties": {"note": {"$ref": "#/components/schemas/Note"}}}}}},
        "401": {"description": "", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}}}}}}
  },
  "components": {"schemas": {
    "Note": {"type": "object", "required": ["id"], "properties": {
      "id": {"type": "string"}, "body": {"type": "string"}, "bodyText": {"type": "string"}, "title": {"type": "string"}, "color": {"type": "string"},
      "pinned": {"type": "boolean"}, "userId": {"type": "string"}, "contactId": {"type": "string"}, "dateAdded": {"type": "string"}}},
    "Refusal": {"type": "object", "properties": {"statusCode": {"type": "number"}, "message": {"type": "string"}}},
    "Refusals": {"type": "object", "properties": {
      "statusCode": {"type": "number"}, "error": {"type": "string"}, "message": {"type": "array", "items": {"type": "string"}}}}
  }}
}`

// TestTheCheckOfGhltestFindsDifferences shows that the check fails: for a fault of the server, and for a document that
// differs.
func TestTheCheckOfGhltestFindsDifferences(t *testing.T) {
	check := func(t *testing.T, text string, list exceptions, faults ...fault.Kind) *checker {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "tiny.json"), []byte(text), 0o600))
		tiny, err := loadDocument(dir, "tiny.json")
		require.NoError(t, err)
		c := newChecker(t, map[ghl.Version][]*document{ghl.Version20210728: {tiny}}, list)
		for _, kind := range faults {
			c.faults = append(c.faults, ghltest.Fault{Kind: kind})
		}
		for _, operation := range []string{"notes.get", "notes.create"} {
			c.driveFake(operation, ghl.Version20210728, fakeCalls(row(t, operation)))
		}
		return c
	}
	require.Empty(t, check(t, noteDocument, exceptions{}).differences(), "the document is right")

	const get, create = "notes.get (2021-07-28): ", "notes.create (2021-07-28): "
	for name, test := range map[string]struct {
		fault    fault.Kind
		old, new string // of the document
		want     []string
	}{
		"a required property is missing": {fault.MissingProperties("id"), "", "", []string{
			get + "answer.note.id", get + "request", create + "answer.note.id", create + "request"}},
		"a declared property is missing": {fault.MissingProperties("color"), "", "",
			[]string{get + "answer.note.color", create + "answer.note.color"}},
		"a property has another type": {fault.BooleansAsStrings(), "", "",
			[]string{get + "answer.note.pinned", create + "answer.note.pinned"}},
		"null": {fault.DatesAs(fault.DateNull), "", "",
			[]string{get + "answer.note.dateAdded=null", create + "answer.note.dateAdded=null"}},
		"a property is new": {fault.RenamedProperty("title", "heading"), "", "", []string{
			get + "answer.note.heading", get + "answer.note.title", create + "answer.note.heading",
			create + "answer.note.title"}},
		"another status":              {fault.Kind{}, `"201"`, `"200"`, []string{create + "status.201"}},
		"another status of a refusal": {fault.Kind{}, `"422"`, `"400"`, []string{create + "status.422"}},
		"another refusal": {fault.Kind{}, `"message": {"type": "string"}`,
			`"message": {"type": "number"}`, []string{get + "answer401.message", create + "answer401.message"}},
		"no required property": {fault.Kind{}, `"required": ["body"]`, `"required": []`,
			[]string{create + "body.body=missing"}},
		"more required properties": {fault.Kind{}, `"required": ["body"]`, `"required": ["body", "title"]`,
			[]string{create + "body.title", create + "body.title=missing"}},
		"another type in the request": {fault.Kind{}, `"pinned": {"type": "boolean"}, "userId"`,
			`"pinned": {"type": "string"}, "userId"`, []string{create + "body.pinned", create + "body.pinned=added"}},
		"any type in the request": {fault.Kind{}, `"pinned": {"type": "boolean"}, "userId"`,
			`"pinned": {}, "userId"`, []string{create + "body.pinned=added"}},
		"the request has more": {fault.Kind{}, `"title": {"type": "string"}, "color"`,
			`"weather": {"type": "string"}, "title": {"type": "string"}, "color"`, []string{create + "body.weather=added"}},
		"the request has less": {fault.Kind{}, `, "userId": {"type": "string"}}}}}}`, `}}}}}`,
			[]string{create + "body.userId"}},
		"no such path": {fault.Kind{}, `/notes": {"post"`, `/remarks": {"post"`,
			[]string{create + "path"}},
		"any value is taken": {fault.Kind{}, `"color": {"type": "string"}, "pinned": {"type": "boolean"}, "userId"`,
			`"color": {"type": "string", "enum": ["#FFAA00"]}, "pinned": {"type": "boolean"}, "userId"`, []string{create + "body.color=text"}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Contains(t, noteDocument, test.old)
			var faults []fault.Kind
			if test.fault.String() != "" {
				faults = append(faults, test.fault)
			}
			list, document := exceptions{}, strings.Replace(noteDocument, test.old, test.new, 1)
			var found []string
			for d := range check(t, document, list, faults...).found {
				found = append(found, d.String())
				list[d] = false
			}
			require.ElementsMatch(t, test.want, found)
			require.Empty(t, check(t, document, list, faults...).differences(),
				"an exception is not among the differences")
		})
	}

	never := difference{"notes.get", ghl.Version20210728, "answer.note.season"}
	require.Equal(t, []string{never.String() + ": this exception did not occur"},
		check(t, noteDocument, exceptions{never: false}).differences())
}
