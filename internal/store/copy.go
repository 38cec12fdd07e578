package store

// Public calls f with every value that is not secret, by space and key, until
// f fails. It is what a copy of the record may hold of the values: the keys of
// windows, and whatever else was stored as a secret, never leave the file. f
// may call the store.
func (s *SQLite) Public(f func(space, key string, value []byte) error) error {
	if err := s.usable(); err != nil {
		return err
	}
	spaces, err := s.publicSpaces()
	if err != nil {
		return err
	}
	for _, space := range spaces {
		vs, err := s.values(space)
		if err != nil {
			return err
		}
		for _, v := range vs {
			if v.secret {
				continue
			}
			plain, err := s.unseal(space, v)
			if err != nil {
				return err
			}
			if err := f(space, v.key, plain); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *SQLite) publicSpaces() (spaces []string, err error) {
	rows, err := s.readers.Query("SELECT DISTINCT space FROM vals WHERE secret = 0 ORDER BY space")
	if err != nil {
		return nil, classify(err, "reading values")
	}
	defer rows.Close()
	for rows.Next() {
		var space []byte
		if err := rows.Scan(&space); err != nil {
			return nil, misshapen(err)
		}
		spaces = append(spaces, string(space))
	}
	return spaces, classify(rows.Err(), "reading values")
}
