// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aerie-falco/aerie/shared/plugin/config"
)

// secret is a configured secret that is read again, at most once a second, when
// it is needed. If it cannot be read any more, the last one stays in use.
type secret struct {
	reference config.Secret
	warn      func(error)

	mu    sync.Mutex
	value []byte
	read  time.Time
}

func loadSecret(reference config.Secret, warn func(error)) (*secret, error) {
	value, err := reference.Resolve()
	if err != nil {
		return nil, err
	}
	return &secret{reference: reference, warn: warn, value: value, read: time.Now()}, nil
}

// get returns the secret. It is not to be changed.
func (s *secret) get(now time.Time) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Sub(s.read) >= recheck {
		s.read = now
		value, err := s.reference.Resolve()
		if err != nil {
			s.warn(fmt.Errorf("%w; the one of before stays in use", err))
		} else {
			s.value = value
		}
	}
	return s.value
}

// auth is what clients must show in their requests. Nil secrets ask nothing.
type auth struct {
	token  *secret
	hmac   *secret
	header string // of the signature, in canonical form
}

func newAuth(c Auth, warn func(error)) (auth, error) {
	var a auth
	var err error
	if !c.BearerToken.IsZero() {
		if a.token, err = loadSecret(c.BearerToken, warn); err != nil {
			return a, fmt.Errorf("auth.bearerToken: %w", err)
		}
	}
	if c.HMAC != nil {
		if a.hmac, err = loadSecret(c.HMAC.Secret, warn); err != nil {
			return a, fmt.Errorf("auth.hmac.secret: %w", err)
		}
		a.header = http.CanonicalHeaderKey(c.HMAC.Header)
	}
	return a, nil
}

// checkToken looks at the request's header only.
func (a *auth) checkToken(r *http.Request, now time.Time) *refusal {
	if a.token == nil {
		return nil
	}
	values := r.Header["Authorization"]
	if len(values) != 1 {
		return refuseToken
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return refuseToken
	}
	// Hashes have one length, whatever the client sends.
	got := sha256.Sum256([]byte(strings.TrimLeft(token, " ")))
	want := sha256.Sum256(a.token.get(now))
	if subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
		return refuseToken
	}
	return nil
}

// checkSignaturePresent saves reading a body that cannot be accepted.
func (a *auth) checkSignaturePresent(r *http.Request) *refusal {
	if a.hmac != nil && len(r.Header[a.header]) != 1 {
		return refuseNoSignature
	}
	return nil
}

// checkSignature looks at the body as it was received.
func (a *auth) checkSignature(r *http.Request, raw []byte, now time.Time) *refusal {
	if a.hmac == nil {
		return nil
	}
	text := r.Header[a.header][0]
	if len(text) > 7 && strings.EqualFold(text[:7], "sha256=") {
		text = text[7:]
	}
	got, err := hex.DecodeString(text)
	if err != nil {
		return refuseSignature
	}
	mac := hmac.New(sha256.New, a.hmac.get(now))
	mac.Write(raw)
	if !hmac.Equal(got, mac.Sum(nil)) {
		return refuseSignature
	}
	return nil
}
