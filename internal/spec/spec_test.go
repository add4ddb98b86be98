package spec

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
)

var versions = []ghl.Version{ghl.Version20210728, ghl.VersionV3}

// contactsDocuments are the documents with operations that the client must all reach.
var contactsDocuments = map[ghl.Version]string{
	ghl.Version20210728: "apps/contacts.json",
	ghl.VersionV3:       "apps/v3/contacts-v3.json",
}

var otherDocuments = map[ghl.Version][]string{
	ghl.Version20210728: {"apps/calendars.json", "apps/locations.json", "apps/oauth.json"},
	ghl.VersionV3:       {"apps/v3/calendars-v3.json", "apps/v3/locations-v3.json", "apps/v3/oauth-v3.json"},
}

// documentsDir returns the folder of the vendor's documents. It skips the test when no folder is set.
func documentsDir(t *testing.T) string {
	dir := os.Getenv("GHL_SPEC_DIR")
	if dir == "" {
		t.Skip("set GHL_SPEC_DIR to a folder with the vendor's OpenAPI documents, see CONTRIBUTING.md")
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join("..", "..", dir) // a relative folder counts from the root of the repository
	}
	return dir
}

func loadDocuments(t *testing.T) map[ghl.Version][]*document {
	dir := documentsDir(t)
	documents := map[ghl.Version][]*document{}
	for _, v := range versions {
		for _, name := range append([]string{contactsDocuments[v]}, otherDocuments[v]...) {
			d, err := loadDocument(dir, name)
			require.NoError(t, err)
			documents[v] = append(documents[v], d)
		}
	}
	return documents
}

// TestClientAgainstTheDocuments calls every method against the vendor's documents: each request must be valid, each
// answer must decode, and every documented property must reach the caller.
func TestClientAgainstTheDocuments(t *testing.T) {
	documents := loadDocuments(t)
	list, err := readExceptions(exceptionsJSON)
	require.NoError(t, err)

	c := newChecker(t, documents, list)
	for _, m := range allMethods(t) {
		for _, v := range versions {
			c.drive(m, v)
		}
	}

	for _, difference := range c.differences() {
		t.Error(difference)
	}
	for _, v := range versions {
		operations := documents[v][0].operations()
		require.NotEmpty(t, operations)
		for _, name := range operations {
			if !c.reached[name] {
				t.Errorf("no method reaches %s", name)
			}
		}
	}
	if !t.Failed() { // .ci/run looks for this line
		t.Logf("spec check: %d operations, %d versions, %d requests, %d exceptions", len(allMethods(t)),
			len(versions), c.requests, len(list))
	}
}

func TestEveryOperationHasARow(t *testing.T) {
	var catalog, driven []string
	for _, op := range ghl.Operations() {
		catalog = append(catalog, op.Name)
	}
	for _, m := range allMethods(t) {
		driven = append(driven, m.operation)
	}
	require.ElementsMatch(t, catalog, driven)
}

// TestEmptyAnswer: a 2xx without a body is an error if the method returns a record or list, and a success otherwise.
func TestEmptyAnswer(t *testing.T) {
	for _, m := range allMethods(t) {
		for _, v := range versions {
			for _, status := range []int{http.StatusOK, http.StatusCreated, http.StatusNoContent} {
				client := newClient(t, roundTrip(func(r *http.Request) (*http.Response, error) {
					return respond(r, status, nil), nil
				}), v)
				for _, f := range m.calls {
					_, err := f(&driver{Client: client, t: t, ctx: t.Context(), v3: v == ghl.VersionV3})
					if m.promisesNothing {
						require.NoError(t, err, "%s (%s), %d", m.operation, v, status)
					} else {
						require.ErrorIs(t, err, ghl.ErrBadResponse, "%s (%s), %d", m.operation, v, status)
					}
				}
			}
		}
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
