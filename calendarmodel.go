package ghl

// Calendar is a calendar of a location with its booking settings.
type Calendar struct {
	ID          string `json:"id"`
	LocationID  string `json:"locationId,omitempty"`
	GroupID     string `json:"groupId,omitempty"`
	Name        string `json:"name,omitempty"`
	Description string `json:"description,omitempty"`
	Slug        string `json:"slug,omitempty"`
	WidgetSlug  string `json:"widgetSlug,omitempty"`
	// CalendarType is round_robin, event, class_booking, collective, service_booking or personal.
	CalendarType string `json:"calendarType,omitempty"`
	WidgetType   string `json:"widgetType,omitempty"` // default or classic
	// EventType is how a round robin selects the team member: RoundRobin_OptimizeForAvailability or
	// RoundRobin_OptimizeForEqualDistribution.
	EventType  string `json:"eventType,omitempty"`
	EventTitle string `json:"eventTitle,omitempty"`
	EventColor string `json:"eventColor,omitempty"`
	// IsActive is false for a draft.
	IsActive bool `json:"isActive,omitempty"`
	// TeamMembers are the users whose time the calendar offers.
	TeamMembers []struct {
		UserID              string  `json:"userId"`
		Priority            float64 `json:"priority,omitempty"` // 0, 0.5 or 1
		IsPrimary           bool    `json:"isPrimary,omitempty"`
		MeetingLocationType string  `json:"meetingLocationType,omitempty"` // deprecated by the API
		MeetingLocation     string  `json:"meetingLocation,omitempty"`     // deprecated by the API
		// LocationConfigurations has the fields of Calendar.LocationConfigurations.
		LocationConfigurations []struct {
			Kind      string `json:"kind,omitempty"`
			Location  string `json:"location,omitempty"`
			MeetingID string `json:"meetingId,omitempty"`
			Extra     Extra  `json:"-"`
		} `json:"locationConfigurations,omitempty"`
		Extra Extra `json:"-"`
	} `json:"teamMembers,omitempty"`
	MeetingLocation string `json:"meetingLocation,omitempty"` // deprecated by the API
	// LocationConfigurations are the meeting places. Kind is custom, zoom_conference, google_conference,
	// ms_teams_conference, inbound_call, outbound_call, physical or booker.
	LocationConfigurations []struct {
		Kind      string `json:"kind,omitempty"`
		Location  string `json:"location,omitempty"`
		MeetingID string `json:"meetingId,omitempty"`
		Extra     Extra  `json:"-"`
	} `json:"locationConfigurations,omitempty"`
	// Notifications are the recipients of a booking's notification. Deprecated by the API.
	Notifications []struct {
		Type                      string `json:"type,omitempty"` // email
		ShouldSendToContact       bool   `json:"shouldSendToContact,omitempty"`
		ShouldSendToGuest         bool   `json:"shouldSendToGuest,omitempty"`
		ShouldSendToUser          bool   `json:"shouldSendToUser,omitempty"`
		ShouldSendToSelectedUsers bool   `json:"shouldSendToSelectedUsers,omitempty"`
		SelectedUsers             string `json:"selectedUsers,omitempty"` // e-mail addresses, separated by commas
		Extra                     Extra  `json:"-"`
	} `json:"notifications,omitempty"`

	// SlotDuration is the length of a slot, SlotInterval the time between the starts of slots. SlotBuffer and
	// PreBuffer are the free time after and before an appointment. Units are mins or hours.
	SlotDuration     float64 `json:"slotDuration,omitempty"`
	SlotDurationUnit string  `json:"slotDurationUnit,omitempty"`
	SlotInterval     float64 `json:"slotInterval,omitempty"`
	SlotIntervalUnit string  `json:"slotIntervalUnit,omitempty"`
	SlotBuffer       float64 `json:"slotBuffer,omitempty"`
	SlotBufferUnit   string  `json:"slotBufferUnit,omitempty"`
	PreBuffer        float64 `json:"preBuffer,omitempty"`
	PreBufferUnit    string  `json:"preBufferUnit,omitempty"`

	// AppointmentPerSlot and AppointmentPerDay are the most bookings of a slot and of a day.
	AppointmentPerSlot float64 `json:"appoinmentPerSlot,omitempty" also:"appointmentPerSlot"` // the vendor's spelling
	AppointmentPerDay  float64 `json:"appoinmentPerDay,omitempty" also:"appointmentPerDay"`
	// AllowBookingAfter is the shortest notice; AllowBookingFor is how far ahead bookings are possible.
	AllowBookingAfter     float64 `json:"allowBookingAfter,omitempty"`
	AllowBookingAfterUnit string  `json:"allowBookingAfterUnit,omitempty"` // mins, hours, days, weeks or months
	AllowBookingFor       float64 `json:"allowBookingFor,omitempty"`
	AllowBookingForUnit   string  `json:"allowBookingForUnit,omitempty"` // days, weeks or months

	// AvailabilityType is 0 for OpenHours only, 1 for Availabilities only, nil for both.
	AvailabilityType *int `json:"availabilityType,omitempty"`
	// OpenHours are the open hours of days of the week, in the location's zone.
	OpenHours []struct {
		DaysOfTheWeek []int `json:"daysOfTheWeek,omitempty"` // 0 is Sunday
		Hours         []struct {
			OpenHour    int `json:"openHour"`
			OpenMinute  int `json:"openMinute"`
			CloseHour   int `json:"closeHour"`
			CloseMinute int `json:"closeMinute"`
		} `json:"hours,omitempty"`
		Extra Extra `json:"-"`
	} `json:"openHours,omitempty"`
	// Availabilities are the open hours of single dates, in the location's zone.
	Availabilities []struct {
		// Date is the local date at midnight, written as if it were in UTC.
		Date  Time `json:"date,omitzero"`
		Hours []struct {
			OpenHour    int `json:"openHour"`
			OpenMinute  int `json:"openMinute"`
			CloseHour   int `json:"closeHour"`
			CloseMinute int `json:"closeMinute"`
		} `json:"hours,omitempty"`
		Deleted bool  `json:"deleted,omitempty"`
		Extra   Extra `json:"-"`
	} `json:"availabilities,omitempty"`
	EnableRecurring bool `json:"enableRecurring,omitempty"`
	Recurring       struct {
		Freq                        string `json:"freq,omitempty"` // DAILY, WEEKLY or MONTHLY
		Count                       int    `json:"count,omitempty"`
		BookingOption               string `json:"bookingOption,omitempty"` // skip, continue or book_next
		BookingOverlapDefaultStatus string `json:"bookingOverlapDefaultStatus,omitempty"`
		Extra                       Extra  `json:"-"`
	} `json:"recurring,omitzero"`
	// LookBusyConfig hides a percentage of the free slots.
	LookBusyConfig struct {
		Enabled    bool    `json:"enabled,omitempty"`
		Percentage float64 `json:"LookBusyPercentage,omitempty"`
		Extra      Extra   `json:"-"`
	} `json:"lookBusyConfig,omitzero"`

	FormID                  string `json:"formId,omitempty"`
	FormSubmitType          string `json:"formSubmitType,omitempty"` // RedirectURL or ThankYouMessage
	FormSubmitRedirectURL   string `json:"formSubmitRedirectURL,omitempty"`
	FormSubmitThanksMessage string `json:"formSubmitThanksMessage,omitempty"`
	ConsentLabel            string `json:"consentLabel,omitempty"`
	GuestType               string `json:"guestType,omitempty"` // count_only or collect_detail
	StickyContact           bool   `json:"stickyContact,omitempty"`
	IsLivePaymentMode       bool   `json:"isLivePaymentMode,omitempty"`
	AutoConfirm             bool   `json:"autoConfirm,omitempty"`
	AllowReschedule         bool   `json:"allowReschedule,omitempty"`
	AllowCancellation       bool   `json:"allowCancellation,omitempty"`
	GoogleInvitationEmails  bool   `json:"googleInvitationEmails,omitempty"`
	AlertEmail              string `json:"alertEmail,omitempty"`
	Notes                   string `json:"notes,omitempty"`
	PixelID                 string `json:"pixelId,omitempty"`
	CalendarCoverImage      string `json:"calendarCoverImage,omitempty"` // a URL

	ShouldSendAlertEmailsToAssignedMember bool  `json:"shouldSendAlertEmailsToAssignedMember,omitempty"`
	ShouldAssignContactToTeamMember       bool  `json:"shouldAssignContactToTeamMember,omitempty"`
	ShouldSkipAssigningContactForExisting bool  `json:"shouldSkipAssigningContactForExisting,omitempty"`
	Extra                                 Extra `json:"-"`
}
