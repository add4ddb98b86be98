package spec

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
)

// tinyDocument differs from the API in every way that the check must find.
const tinyDocument = `{
  "openapi": "3.0.0", "info": {"title": "tiny", "version": "1"},
  "servers": [{"url": "https://services.leadconnectorhq.com"}],
  "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
  "paths": {
    "/contacts/{contactId}/notes": {"post": {
      "security": [{"bearer": ["contacts.readonly"]}],
      "parameters": [{"name": "Version", "in": "header", "required": true, "schema": {"type": "string", "enum": ["2020-01-01"]}}],
      "requestBody": {"required": true, "content": {"application/json": {"schema": {"type": "object", "required": ["mood"], "properties": {
        "body": {"type": "string"}, "pinned": {"type": "string"}, "color": {"type": "string"}, "userId": {"type": "string"},
        "weather": {"type": "string"}}}}}},
      "responses": {"201": {"description": "", "content": {"application/json": {"schema": {"type": "object", "properties": {
        "note": {"type": "object", "properties": {"id": {"type": "string"}, "mood": {"type": "string"}}},
        "weather": {"type": "string"}}}}}}}}},
    "/contacts/business/{businessId}": {"get": {
      "parameters": [{"name": "locationId", "in": "query", "schema": {"type": "string"}}],
      "responses": {"200": {"description": "", "content": {"application/json": {"schema": {"type": "object", "properties": {
        "contacts": {"type": "array", "items": {"type": "string"}}}}}}}}}},
    "/contacts/{contactId}": {"put": {
      "requestBody": {"content": {"application/json": {"schema": {"type": "object", "properties": {
        "tags": {"type": "array", "items": {"type": "string"}},
        "inboundDndSettings": {"allOf": [{"type": "object", "properties": {"all": {"type": "object", "properties": {"status": {"type": "string"}}}}}]}
      }}}}},
      "responses": {"200": {"description": "", "content": {"application/json": {"schema": {"type": "object", "properties": {
        "contact": {"type": "object", "properties": {"id": {"type": "string"}}}}}}}}}}}
  }
}`

// TestTheCheckFindsDifferences shows that the check fails for each difference.
func TestTheCheckFindsDifferences(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "tiny.json"), []byte(tinyDocument), 0o600))
	tiny, err := loadDocument(dir, "tiny.json")
	require.NoError(t, err)
	update := []call{
		func(d *driver) (any, error) {
			return d.Contacts.Update(d.ctx, contactID, &ghl.ContactUpdate{
				City: ghl.Some("Dolomite"), Tags: ghl.Null[[]string](), InboundDNDSettings: ghl.Some(inboundDND()),
			}, d.opt)
		},
	}
	check := func(t *testing.T, list exceptions) *checker {
		c := newChecker(t, map[ghl.Version][]*document{ghl.Version20210728: {tiny}}, list)
		c.drive(row(t, "notes.create"), ghl.Version20210728)
		c.drive(row(t, "contacts.listByBusiness"), ghl.Version20210728)
		c.drive(method{operation: "contacts.update", calls: update}, ghl.Version20210728)
		c.drive(row(t, "contacts.list"), ghl.Version20210728)
		return c
	}
	expected := exceptions{}
	for operation, places := range map[string][]string{
		"notes.create": {"scopes", "header.Version", "body.title", "body.pinned", "body.mood",
			"body.weather", "answer.note.mood", "answer.weather"},
		"contacts.listByBusiness": {"query.limit", "query.skip", "query.query", "answer.contacts"},
		"contacts.update":         {"body.city", "body.tags=null", "body.inboundDndSettings.all.message"},
		"contacts.list":           {"path"},
	} {
		for _, place := range places {
			expected[difference{operation, ghl.Version20210728, place}] = false
		}
	}

	var found []string
	for d := range check(t, exceptions{}).found {
		found = append(found, d.String())
	}
	require.ElementsMatch(t, expected.unused(), found)
	require.Empty(t, check(t, expected).differences(), "an exception is not among the differences")

	never := difference{"notes.create", ghl.Version20210728, "body.season"}
	expected[never] = false
	require.Equal(t, []string{never.String() + ": this exception did not occur"}, check(t, expected).differences())
	require.Contains(t, tiny.operations(), "tiny.json: PUT /contacts/{contactId}")
}

func row(t *testing.T, operation string) method {
	all := allMethods(t)
	i := slices.IndexFunc(all, func(m method) bool { return m.operation == operation })
	require.GreaterOrEqual(t, i, 0, "no row drives %s", operation)
	return all[i]
}

func TestExceptionsAreWellFormed(t *testing.T) {
	for _, file := range [][]byte{exceptionsJSON, ghltestJSON} {
		list, err := readExceptions(file)
		require.NoError(t, err)
		for d := range list {
			if d.operation != tokenOperation {
				operation(t, d.operation)
			}
			require.Contains(t, versions, d.version, d.String())
		}
	}

	const one = `{"operations": ["notes.get"], "versions": ["v3"], "places": ["path"], "reason": "why"}`
	for _, wrong := range []string{
		`[` + one + `,` + one + `]`,
		`[{"operations": ["notes.get"], "versions": ["v3"], "places": ["path"]}]`,
		`[{"operations": ["notes.get"], "places": ["path"], "reason": "why"}]`,
		`[{"operation": "notes.get"}]`,
	} {
		_, err := readExceptions([]byte(wrong))
		require.Error(t, err, wrong)
	}
}
