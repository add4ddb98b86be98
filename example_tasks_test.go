package ghl_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/pluvo/ghl"
)

func ExampleTasksService_Create() {
	server, client := exampleServer()
	defer server.Close() //nolint:errcheck // the program ends
	ada := server.AddContact(ghl.Contact{Email: "ada@example.com"})
	ctx := context.Background()

	task, err := client.Tasks.Create(ctx, ada.ID, &ghl.TaskCreate{
		Title: "Call back", DueDate: time.Date(2026, time.March, 3, 15, 0, 0, 0, time.UTC),
	})
	if err != nil {
		log.Fatal(err)
	}
	task, err = client.Tasks.Update(ctx, ada.ID, task.ID, &ghl.TaskUpdate{Body: ghl.Some("About the offer")})
	if err != nil {
		log.Fatal(err)
	}
	task, err = client.Tasks.SetCompleted(ctx, ada.ID, task.ID, true)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(task.Title, "-", task.Body, task.Completed)
	// Output:
	// Call back - About the offer true
}

// SearchAll finds the tasks of all contacts of the location.
func ExampleTasksService_SearchAll() {
	server, client := exampleServer()
	defer server.Close() //nolint:errcheck // the program ends
	for i := range 3 {
		contact := server.AddContact(ghl.Contact{Email: fmt.Sprintf("user%d@example.com", i)})
		server.AddTask(ghl.Task{ContactID: contact.ID, Title: fmt.Sprint("Call ", i), Completed: i == 1,
			DueDate: ghl.ParseTime("2026-03-03T15:00:00Z")})
	}

	open := false
	tasks := 0
	for task, err := range client.Tasks.SearchAll(context.Background(), &ghl.TaskSearch{Completed: &open}) {
		if err != nil {
			log.Fatal(err)
		}
		if !task.Completed {
			tasks++
		}
	}
	fmt.Println(tasks)
	// Output:
	// 2
}

func ExampleNotesService_Create() {
	server, client := exampleServer()
	defer server.Close() //nolint:errcheck // the program ends
	ada := server.AddContact(ghl.Contact{Email: "ada@example.com"})
	ctx := context.Background()

	note, err := client.Notes.Create(ctx, ada.ID, &ghl.NoteCreate{Body: "Asked for an offer", Pinned: true})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := client.Notes.Update(ctx, ada.ID, note.ID, &ghl.NoteUpdate{Pinned: ghl.Some(false)}); err != nil {
		log.Fatal(err)
	}
	notes, err := client.Notes.List(ctx, ada.ID)
	if err != nil {
		log.Fatal(err)
	}
	for _, note := range notes {
		fmt.Println(note.Body, note.Pinned)
	}
	// Output:
	// Asked for an offer false
}

// Two people book the same slot. The second booking fails with ErrSlotTaken.
func ExampleAppointmentsService_Create() {
	server, client := exampleServer()
	defer server.Close() //nolint:errcheck // the program ends
	calendar := server.AddCalendar(ghl.Calendar{Name: "Consultation"})
	ada := server.AddContact(ghl.Contact{Email: "ada@example.com"})
	grace := server.AddContact(ghl.Contact{Email: "grace@example.com"})
	ctx := context.Background()

	from := time.Date(2026, time.March, 3, 6, 0, 0, 0, time.UTC)
	days, err := client.Calendars.FreeSlots(ctx, calendar.ID, &ghl.FreeSlotsQuery{From: from, To: from.AddDate(0, 0, 1)})
	if err != nil || len(days) == 0 {
		log.Fatal("no free slot: ", err)
	}
	slot, _ := days[0].Slots[0].Instant()
	fmt.Println("first slot:", days[0].Slots[0])

	booking := ghl.AppointmentCreate{CalendarID: calendar.ID, ContactID: ada.ID, StartTime: slot, Title: "Consultation"}
	appointment, err := client.Appointments.Create(ctx, &booking)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("booked:", appointment.AppointmentStatus)

	booking.ContactID = grace.ID
	_, err = client.Appointments.Create(ctx, &booking)
	fmt.Println("taken:", errors.Is(err, ghl.ErrSlotTaken))
	// Output:
	// first slot: 2026-03-03T09:00:00-06:00
	// booked: confirmed
	// taken: true
}
