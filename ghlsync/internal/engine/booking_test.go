package engine_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync/internal/dbtest"
	"github.com/pluvo/ghl/ghlsync/internal/engine"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/ghltest/fault"
	"github.com/pluvo/ghl/pluvo"
)

// booked is how many appointments HighLevel has.
func (w *world) booked() (n int) {
	for _, c := range w.server.Contacts() {
		n += len(w.server.Appointments(c.ID))
	}
	return n
}

// appointment books one in HighLevel, which both sides then have.
func (w *world) appointment() (of ghl.Contact, made *ghl.Appointment, start time.Time) {
	w.t.Helper()
	of = w.server.AddContact(ghl.Contact{FirstName: "Ada", Email: "ada@example.com"})
	calendar := w.server.AddCalendar(ghl.Calendar{Name: "Consultations"})
	start = w.freeSlot(calendar.ID)
	made, err := w.client.Appointments.Create(w.t.Context(),
		&ghl.AppointmentCreate{CalendarID: calendar.ID, ContactID: of.ID, StartTime: start, Title: "Talk"})
	require.NoError(w.t, err)
	w.touch(of.ID)
	w.settle()
	return of, made, start
}

// TestOneSlotOneBooking: two appointments made in Pluvo for one slot end as one booking and one conflict.
func TestOneSlotOneBooking(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		var calendar string
		w := newWorld(t, address, func(l *engine.Location) {
			l.Calendar = func(*pluvo.Appointment) string { return calendar }
		})
		calendar = w.server.AddCalendar(ghl.Calendar{Name: "Consultations"}).ID
		start := w.freeSlot(calendar)
		w.put(&pluvo.Contact{ID: "p1", FirstName: "Ada", Email: "ada@example.com"})
		w.put(&pluvo.Contact{ID: "p2", FirstName: "Grace", Email: "grace@example.com"})
		w.put(&pluvo.Appointment{ID: "a1", ContactID: "p1", Title: "Talk", Start: start,
			End: start.Add(30 * time.Minute)})
		w.put(&pluvo.Appointment{ID: "a2", ContactID: "p2", Title: "Talk", Start: start,
			End: start.Add(30 * time.Minute)})
		w.settle()
		require.Equal(t, 1, w.booked())
		open := w.conflicts()
		require.Len(t, open, 1)
		require.Equal(t, "slot", open[0].Field)
		require.Empty(t, w.failures())
		w.writes()
		for _, c := range w.server.Contacts() {
			w.touch(c.ID)
		}
		w.settle()
		require.Empty(t, w.writes(), "what was refused is not asked for again")

		// One that exists in a third system is mirrored all the same.
		w.put(&pluvo.Appointment{ID: "a3", ContactID: "p1", Title: "Dentist", Start: start,
			End: start.Add(30 * time.Minute), Origin: pluvo.Origin{System: "outlook", Location: "practice", ID: "x1"}})
		w.settle()
		require.Equal(t, 2, w.booked())

		// Moved to a free slot, the loser is booked.
		for _, c := range w.pluvoAppointments("p1", "p2") {
			if c.ID != "a3" && len(w.linked(c.ID)) == 0 {
				c.Start, c.End = start.Add(2*time.Hour), start.Add(2*time.Hour+30*time.Minute)
				w.put(&c)
			}
		}
		w.settle()
		require.Equal(t, 3, w.booked())
	})
}

// TestABookingOfHighLevelIsMirrored, and its cancellation too.
func TestABookingOfHighLevelIsMirrored(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		w := newWorld(t, address, nil)
		ada, made, start := w.appointment()
		ours := w.full(ada.ID).Appointments
		require.Len(t, ours, 1)
		require.True(t, ours[0].Start.Equal(start))
		_, err := w.client.Appointments.Update(t.Context(), made.ID,
			&ghl.AppointmentUpdate{AppointmentStatus: ghl.Some(ghl.AppointmentCancelled)})
		require.NoError(t, err)
		w.touch(ada.ID)
		w.settle()
		require.Equal(t, pluvo.AppointmentCancelled, w.full(ada.ID).Appointments[0].Status)
		moved := w.full(ada.ID).Appointments[0]
		moved.Title = "Long talk"
		w.put(&moved)
		w.settle()
		require.Equal(t, "Long talk", w.server.Appointments(ada.ID)[0].Title)
		require.Empty(t, w.conflicts())
	})
}

// TestAMoveToATakenSlot is a conflict; what else was changed of the appointment arrives.
func TestAMoveToATakenSlot(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		w := newWorld(t, address, nil)
		ada, made, start := w.appointment()
		w.server.Fail(ghltest.Fault{Operation: "appointments.update", Kind: fault.SlotTaken(), Times: 1})
		moved := w.full(ada.ID).Appointments[0]
		moved.Title, moved.Start, moved.End = "Long talk", start.Add(2*time.Hour), start.Add(150*time.Minute)
		w.put(&moved)
		w.settle()
		there := w.server.Appointments(ada.ID)[0]
		require.Equal(t, made.ID, there.ID)
		require.Equal(t, "Long talk", there.Title)
		at, _ := there.StartTime.Instant()
		require.True(t, at.Equal(start))
		require.Len(t, w.conflicts(), 1)
		require.Equal(t, "slot", w.conflicts()[0].Field)
	})
}

// TestAnEditKeepsTheStatusOfAnAppointment: the update names the status that the run has read.
func TestAnEditKeepsTheStatusOfAnAppointment(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		w := newWorld(t, address, nil)
		w.server.Fail(ghltest.Fault{Kind: fault.BookingWithoutTimes()})
		ada, made, start := w.appointment()
		_, err := w.client.Appointments.Update(t.Context(), made.ID,
			&ghl.AppointmentUpdate{AppointmentStatus: ghl.Some(ghl.AppointmentNoShow)})
		require.NoError(t, err)
		w.touch(ada.ID)
		w.settle()
		for _, edit := range []func(*pluvo.Appointment){
			func(a *pluvo.Appointment) { a.Title = "Long talk" },
			func(a *pluvo.Appointment) { a.Start, a.End = start.Add(2*time.Hour), start.Add(150*time.Minute) },
			func(a *pluvo.Appointment) { a.Title = "Longer talk" },
		} {
			ours := w.full(ada.ID).Appointments[0]
			edit(&ours)
			w.server.ResetRequests()
			w.put(&ours)
			w.settle()
			for _, r := range w.server.Requests() {
				require.NotEqual(t, "appointments.get", r.Operation, "the list has the status")
			}
			require.Equal(t, []string{"appointments.update"}, w.writes())
			there := w.server.Appointments(ada.ID)[0]
			require.Equal(t, ghl.AppointmentNoShow, there.AppointmentStatus)
			require.Equal(t, ours.Title, there.Title)
			at, _ := there.StartTime.Instant()
			require.True(t, at.Equal(ours.Start))
			require.Equal(t, pluvo.AppointmentNoShow, w.full(ada.ID).Appointments[0].Status)
		}
		require.Empty(t, w.conflicts())
	})
}

// TestABookingWhoseAnswerHasNoTimes: the first edit in Pluvo after the booking arrives.
func TestABookingWhoseAnswerHasNoTimes(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		var calendar string
		w := newWorld(t, address, func(l *engine.Location) {
			l.Calendar = func(*pluvo.Appointment) string { return calendar }
		})
		w.server.Fail(ghltest.Fault{Kind: fault.BookingWithoutTimes()})
		calendar = w.server.AddCalendar(ghl.Calendar{Name: "Consultations"}).ID
		start := w.freeSlot(calendar)
		w.put(&pluvo.Contact{ID: "p1", FirstName: "Ada", Email: "ada@example.com"})
		w.put(&pluvo.Appointment{ID: "a1", ContactID: "p1", Title: "Talk", Start: start, End: start.Add(30 * time.Minute)})
		w.settle()
		require.Equal(t, 1, w.booked())
		edited := w.pluvoAppointments("p1")[0]
		edited.Title = "Long talk"
		w.put(&edited)
		w.settle()
		require.Empty(t, w.conflicts())
		require.Equal(t, "Long talk", w.pluvoAppointments("p1")[0].Title)
		require.Equal(t, "Long talk", w.server.Appointments(w.server.Contacts()[0].ID)[0].Title)
		require.Empty(t, w.failures())
	})
}

// TestNotesOfTheEditor: HighLevel writes each note as HTML, which is neither a refusal nor a change.
func TestNotesOfTheEditor(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		w := newWorld(t, address, nil)
		w.server.Fail(ghltest.Fault{Kind: fault.EditorNotes()})
		ada := w.known(ghl.Contact{FirstName: "Ada", Email: "ada@example.com"})
		w.put(&pluvo.Note{ID: "n1", ContactID: w.full(ada.ID).Contact.ID, Content: "Tom & Jerry\n1 < 2"})
		w.settle()
		require.Equal(t, []string{"notes.create"}, w.writes())
		note := w.full(ada.ID).Notes[0]
		note.Content += "\nthird"
		w.put(&note)
		w.settle()
		require.Equal(t, []string{"notes.update"}, w.writes())
		w.touch(ada.ID)
		w.settle()
		require.Empty(t, w.writes())
		require.Empty(t, w.conflicts())
		require.Equal(t, "Tom & Jerry\n1 < 2\nthird", w.full(ada.ID).Notes[0].Content)
	})
}
