package ghltest

import "slices"

var followersProperties = properties{"followers": required(texts)}

type followersBody struct {
	Followers []string `json:"followers"`
}

func (c *call) addFollowers() (any, error) {
	of, err := c.contact()
	if err != nil {
		return nil, err
	}
	in, err := read[followersBody](c)
	if err != nil {
		return nil, err
	}
	added := []string{}
	for _, user := range in.Followers {
		if !slices.Contains(of.Followers, user) {
			of.Followers, added = append(of.Followers, user), append(added, user)
		}
	}
	of.touch(c.now)
	c.emitContact(ContactUpdate, of)
	return map[string]any{"followers": orEmpty(of.Followers), "followersAdded": added}, nil
}

func (c *call) removeFollowers() (any, error) {
	of, err := c.contact()
	if err != nil {
		return nil, err
	}
	in, err := read[followersBody](c)
	if err != nil {
		return nil, err
	}
	removed := []string{}
	of.Followers = slices.DeleteFunc(of.Followers, func(user string) bool {
		gone := slices.Contains(in.Followers, user)
		if gone {
			removed = append(removed, user)
		}
		return gone
	})
	of.touch(c.now)
	c.emitContact(ContactUpdate, of)
	return map[string]any{"followers": orEmpty(of.Followers), "followersRemoved": removed}, nil
}
