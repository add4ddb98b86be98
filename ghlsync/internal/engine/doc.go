// Package engine keeps one contact of HighLevel and Pluvo in step, with its tasks, notes, appointments and tags. It
// decides by content: what each side holds now is compared with what it held when both were last in step. So a delivery
// that came twice or late, an echo of an own write and a run that was killed in the middle all lead to the same end.
package engine
