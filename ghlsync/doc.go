// Package ghlsync will keep a HighLevel location and Pluvo in step. It is a module of its own, so that an importer of the
// SDK never meets its database. There is nothing to import here yet.
package ghlsync
