// Package spec checks the client, and package ghltest, against the vendor's description of the API. It holds tests only.
//
// The documents are not part of the repository: GHL_SPEC_DIR names a folder with them, as CONTRIBUTING.md says. A difference
// that is meant to be stands in exceptions.json or ghltest.json with its reason.
package spec
