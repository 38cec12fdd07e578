package browser

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/browser/drive"
)

// consoleName is a name that no network resolves; the browser is told where it
// leads.
const consoleName = "console.parley.test"

// certificate writes a certificate for the console's name, signed by itself,
// and its key, and returns the pin by which a browser may be told to trust it.
func certificate(t *testing.T, dir string) (cert, key, pin string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: consoleName}, DNSNames: []string{consoleName},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	der := must(x509.CreateCertificate(rand.Reader, tmpl, tmpl, k.Public(), k))
	cert, key = filepath.Join(dir, "console.crt"), filepath.Join(dir, "console.key")
	for name, b := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: must(x509.MarshalPKCS8PrivateKey(k))}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(b), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	sum := sha256.Sum256(must(x509.MarshalPKIXPublicKey(k.Public())))
	return cert, key, base64.StdEncoding.EncodeToString(sum[:])
}

// The console under a name of its own, with the party's certificate: set-up,
// sign-in with a passkey that is bound to that name, and a strip that lives.
// Neither plain HTTP nor an older TLS nor another name is served, and a browser
// that does not know the certificate opens nothing.
func TestOverTLS(t *testing.T) {
	bin, stranger := program(t)
	dir := t.TempDir()
	cert, key, pin := certificate(t, dir)
	l := drive.NewLine(t, bin, dir, "India", "Pakistan")
	n := l.Nodes[0]
	_, port, _ := strings.Cut(n.Console, ":")
	n.URL = "https://" + consoleName + ":" + port
	n.Args = []string{"--console-cert", cert, "--console-key", key, "--console-origin", n.URL}
	n.Start()

	leads := "host-resolver-rules=MAP " + consoleName + " 127.0.0.1"
	knows := drive.OpenBrowser(t, leads, "ignore-certificate-errors-spki-list="+pin)
	w := knows.Window(t, "first officer", drive.Look{})
	drive.Enrol(w, n.SetupLink(), "First", "Duty officer")
	if keys := w.Credentials(); len(keys) != 1 || keys[0].RpID != consoleName {
		t.Errorf("passkeys after the enrolment: %+v", keys)
	}
	drive.SignOut(w)
	drive.SignIn(w, n.URL)
	w.Until("a strip that hears of the node", `document.querySelector("#strip").dataset.state != "dead" && document.querySelector("#strip .zulu") != null`)
	for _, c := range w.Cookies() {
		if !c.Secure || c.Domain != consoleName {
			t.Errorf("a cookie of %q, secure %v", c.Domain, c.Secure)
		}
	}
	if bad := w.Complaints(); len(bad) > 0 {
		t.Errorf("the browser complains: %q", bad)
	}

	ask := func(url string, c *tls.Config) (*http.Response, error) {
		c.InsecureSkipVerify = true // what is asked here is something else
		cl := &http.Client{Transport: &http.Transport{TLSClientConfig: c}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		req := must(http.NewRequest("GET", url, nil))
		req.Host = consoleName + ":" + port
		res, err := cl.Do(req)
		if err == nil {
			res.Body.Close()
		}
		return res, err
	}
	at := n.Console + "/sign-in"
	res, err := ask("https://"+at, &tls.Config{})
	if err != nil || res.StatusCode != 200 || res.TLS.Version != tls.VersionTLS13 {
		t.Fatalf("the sign-in page: %v %+v", err, res)
	}
	if got := res.Header.Get("Strict-Transport-Security"); !strings.HasPrefix(got, "max-age=31536000") {
		t.Errorf("Strict-Transport-Security: %q", got)
	}
	if res, err := ask("https://"+at, &tls.Config{MaxVersion: tls.VersionTLS12}); err == nil {
		t.Errorf("TLS 1.2 is served: %d", res.StatusCode)
	}
	if res, err := ask("http://"+at, &tls.Config{}); err == nil && res.StatusCode != http.StatusBadRequest {
		t.Errorf("plain HTTP is served: %d", res.StatusCode)
	}
	req := must(http.NewRequest("GET", "https://"+at, nil)) // by the name localhost
	tr := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	if res, err := tr.RoundTrip(req); err != nil || res.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("another name: %v %+v", err, res)
	}

	wary := stranger.Window(t, "a browser that does not know the certificate", drive.Look{NoAuth: true})
	if err := wary.TryGo("https://" + n.Console + "/sign-in"); err == nil || !strings.Contains(err.Error(), "CERT") {
		t.Errorf("a certificate that nobody vouches for opens the page: %v", err)
	}
}
