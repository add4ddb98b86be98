package main

import (
	"github.com/nyaruka/phonenumbers"

	"github.com/pluvo/ghl/mapping"
)

// phonesOf writes phone numbers in E.164, those without a country code as of the location's country. What is no valid
// number, or has an extension, which E.164 cannot hold, is left as it is.
func phonesOf(country string) mapping.PhoneNormalizer {
	return mapping.PhoneNormalizerFunc(func(phone string) (string, bool) {
		number, err := phonenumbers.Parse(phone, country)
		if err != nil || !phonenumbers.IsValidNumber(number) || number.GetExtension() != "" {
			return "", false
		}
		return phonenumbers.Format(number, phonenumbers.E164), true
	})
}
