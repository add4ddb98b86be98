// Package spec checks the client and package ghltest against the vendor's OpenAPI documents. It has only tests.
//
// The documents are not in the repository: GHL_SPEC_DIR names their folder, see CONTRIBUTING.md. An intended difference
// is an entry in exceptions.json or ghltest.json, with its reason.
package spec
