package store

import (
	"bytes"
	"database/sql"
	"errors"

	"parley"
	"parley/journal"
)

// put sets or deletes a value, and notes when that destroys a secret.
func (s *SQLite) put(p *journal.Put) error {
	space, key := []byte(p.Space), []byte(p.Key)
	var old []byte
	var secret bool
	err := s.write.value.QueryRow(space, key).Scan(&old, &secret)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if secret {
		plain, ok := s.box.open(old, valuePlace(p.Space, p.Key))
		s.unclean = s.unclean || !ok || p.Value == nil || !bytes.Equal(plain, p.Value)
	}
	if p.Value == nil {
		_, err = s.write.delValue.Exec(space, key)
		return err
	}
	stored := p.Value
	if p.Secret {
		stored = s.box.seal(p.Value, valuePlace(p.Space, p.Key))
	}
	s.growth += len(stored)
	_, err = s.write.putValue.Exec(space, key, stored, p.Secret, valueSum(p.Space, p.Key, stored))
	return err
}

// value is a row of vals, still sealed if secret.
type value struct {
	key    string
	stored []byte
	secret bool
	sum    int64
}

func (s *SQLite) values(space string) ([]value, error) {
	rows, err := s.read.values.Query([]byte(space))
	if err != nil {
		return nil, classify(err, "reading values")
	}
	defer rows.Close()
	var vs []value
	for rows.Next() {
		var v value
		var key []byte
		if err := rows.Scan(&key, &v.stored, &v.secret, &v.sum); err != nil {
			return nil, misshapen(err)
		}
		v.key, v.stored = string(key), nonNil(v.stored)
		vs = append(vs, v)
	}
	return vs, classify(rows.Err(), "reading values")
}

// unseal checks a value and opens it if it is secret.
func (s *SQLite) unseal(space string, v value) ([]byte, error) {
	if valueSum(space, v.key, v.stored) != v.sum {
		return nil, parley.Errorf(journal.CodeDamaged, "the value %q of %q: the checksum differs", v.key, space)
	}
	plain, ok := s.box.open(v.stored, valuePlace(space, v.key))
	if !v.secret { // which the checksum does not cover
		if ok {
			return nil, parley.Errorf(journal.CodeDamaged, "the value %q of %q is sealed and does not say so", v.key, space)
		}
		return v.stored, nil
	}
	if !ok {
		return nil, parley.Errorf(journal.CodeDamaged, "the value %q of %q does not decrypt", v.key, space)
	}
	return nonNil(plain), nil
}

// Values implements journal.Store. It reads the whole space first; f may call
// the store.
func (s *SQLite) Values(space string, f func(key string, value []byte) error) error {
	if err := s.usable(); err != nil {
		return err
	}
	vs, err := s.values(space)
	if err != nil {
		return err
	}
	for _, v := range vs {
		plain, err := s.unseal(space, v)
		if err != nil {
			return err
		}
		if err := f(v.key, plain); err != nil {
			return err
		}
	}
	return nil
}
