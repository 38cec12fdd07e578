package drive

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
)

// TB is what the package needs of a testing.T; the screenshots command has its
// own.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
	Logf(format string, args ...any)
	Cleanup(func())
}

// patience is how long a page may take to come to a state.
const patience = 40 * time.Second

// Chromium is the path of the browser, or "".
func Chromium() string {
	for _, name := range []string{os.Getenv("PARLEY_CHROMIUM"), "chromium", "chromium-browser", "google-chrome"} {
		if name == "" {
			continue
		}
		if p, err := exec.LookPath(name); err == nil {
			return p
		}
	}
	return ""
}

// Browser is one running Chromium.
type Browser struct{ ctx context.Context }

// OpenBrowser starts Chromium without a window of its own. Flags are switches
// of its command line besides the usual ones, such as "name=value".
func OpenBrowser(t TB, flags ...string) *Browser {
	t.Helper()
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(Chromium()),
		chromedp.NoSandbox, // CI runs as root, where Chromium's sandbox does not start
		chromedp.DisableGPU,
		chromedp.Flag("autoplay-policy", "user-gesture-required"),
		chromedp.Flag("font-render-hinting", "none"),
		chromedp.Flag("lang", "en"))
	for _, f := range flags {
		name, value, _ := strings.Cut(f, "=")
		opts = append(opts, chromedp.Flag(name, value))
	}
	alloc, stop := chromedp.NewExecAllocator(context.Background(), opts...)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(func() { cancel(); stop() })
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("chromium does not start: %v", err)
	}
	return &Browser{ctx}
}

// Version is the browser's name and version.
func (b *Browser) Version() string {
	v, err := chromedp.CallBrowser(b.ctx, browser.GetVersion, cdp.Empty{})
	if err != nil {
		return err.Error()
	}
	return v.Product
}

// Look is how a window shows pages.
type Look struct {
	Width, Height int64   // 1280 x 900 if zero
	Scale         float64 // device pixels for each; 1 if zero
	Dark          bool    // what the system prefers
	Lang          string  // of Accept-Language; "" is English
	NoScript      bool
	NoAuth        bool // no passkey device
}

// Window is one officer's computer.
type Window struct {
	t     TB
	ctx   context.Context
	end   context.CancelFunc
	log   *messages
	auth  webauthn.AuthenticatorID
	label string
}

// Window opens a window of its own, which shares nothing with another. The
// name is for messages of failures.
func (b *Browser) Window(t TB, name string, look Look) *Window {
	t.Helper()
	if look.Width == 0 {
		look.Width, look.Height = 1280, 900
	}
	if look.Lang == "" {
		look.Lang = "en"
	}
	if look.Scale == 0 {
		look.Scale = 1
	}
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	w := &Window{t: t, ctx: ctx, end: cancel, log: &messages{}, label: name}
	if err := chromedp.Listen(ctx, w.log.event); err != nil {
		t.Fatalf("%v", err)
	}
	call(w, runtime.Enable, cdp.Empty{})
	call(w, log.Enable, cdp.Empty{})
	call(w, network.Enable, network.EnableParams{})
	w.Lang(look.Lang)
	w.Size(look.Width, look.Height, look.Scale)
	w.Dark(look.Dark)
	w.Script(!look.NoScript)
	if !look.NoAuth {
		w.AddAuthenticator(true)
	}
	return w
}

// Tab opens another tab of the same browser: with the same cookies, and with
// the same few connections to a server.
func (w *Window) Tab(name string) *Window {
	w.t.Helper()
	ctx, cancel := chromedp.NewContext(w.ctx)
	w.t.Cleanup(cancel)
	v := &Window{t: w.t, ctx: ctx, end: cancel, log: &messages{}, label: name}
	if err := chromedp.Listen(ctx, v.log.event); err != nil {
		w.Fatalf("%v", err)
	}
	call(v, runtime.Enable, cdp.Empty{})
	call(v, log.Enable, cdp.Empty{})
	call(v, network.Enable, network.EnableParams{})
	return v
}

// Close closes the window before the test ends.
func (w *Window) Close() { w.end() }

// For is the window for another test: its failures end that one.
func (w *Window) For(t TB) *Window {
	v := *w
	v.t = t
	return &v
}

// Dark sets whether the system prefers dark pages, from the next page on.
func (w *Window) Dark(yes bool) {
	w.t.Helper()
	scheme := "light"
	if yes {
		scheme = "dark"
	}
	call(w, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
}

// Lang sets the language that the browser asks for, from the next page on.
func (w *Window) Lang(lang string) {
	w.t.Helper()
	call(w, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": lang}})
}

// Script sets whether pages may run scripts, from the next page on.
func (w *Window) Script(yes bool) {
	w.t.Helper()
	call(w, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !yes})
}

// Size sets the window's size in pixels.
func (w *Window) Size(width, height int64, scale float64) {
	w.t.Helper()
	call(w, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: scale})
}

// Slow makes the window's processor so many times slower than it is.
func (w *Window) Slow(times float64) {
	w.t.Helper()
	call(w, emulation.SetCPUThrottlingRate, emulation.SetCPUThrottlingRateParams{Rate: times})
}

// call runs one command of the protocol on the window, within patience.
func call[P, R any](w *Window, cmd cdp.Command[P, R], params P) R {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	r, err := chromedp.Call(ctx, cmd, params)
	if err != nil {
		w.Fatalf("%v: %v", cmd, err)
	}
	return r
}

// AddAuthenticator gives the window a passkey device. If not verifying, the
// device answers without having checked who holds it.
func (w *Window) AddAuthenticator(verifying bool) {
	w.t.Helper()
	call(w, webauthn.Enable, webauthn.EnableParams{})
	w.auth = call(w, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Ctap2version: webauthn.Ctap2versionCtap21,
		Transport: webauthn.AuthenticatorTransportInternal, HasResidentKey: true, HasUserVerification: true,
		AutomaticPresenceSimulation: true, IsUserVerified: verifying,
	}}).AuthenticatorID
}

// Verifying sets whether the device's check of its holder succeeds.
func (w *Window) Verifying(yes bool) {
	w.t.Helper()
	call(w, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: w.auth, IsUserVerified: yes})
}

// Credentials are the passkeys on the window's device.
func (w *Window) Credentials() []*webauthn.Credential {
	w.t.Helper()
	return call(w, webauthn.GetCredentials, webauthn.GetCredentialsParams{AuthenticatorID: w.auth}).Credentials
}

// AddCredential puts a passkey on the window's device, as one who carries the
// device of another officer to this computer.
func (w *Window) AddCredential(c *webauthn.Credential) {
	w.t.Helper()
	call(w, webauthn.AddCredential, webauthn.AddCredentialParams{AuthenticatorID: w.auth, Credential: c})
}

// do runs actions of chromedp, within patience.
func (w *Window) do(actions ...chromedp.Action[chromedp.Void]) error {
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	return chromedp.Do(ctx, actions...)
}

// Fatalf ends the caller and shows where the window stands.
func (w *Window) Fatalf(format string, args ...any) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, 3*time.Second)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`[location.href, document.readyState, document.visibilityState, document.styleSheets.length + " style sheets", (document.body ? document.body.textContent.length : -1) + " letters", document.body ? document.body.innerText : ""].join("\n")`))
	if err != nil {
		text = err.Error()
	}
	if len(text) > 2500 {
		text = text[:2500] + "…"
	}
	w.t.Logf("%s shows %s\nlast document: %s\nwaits for: %q\nmessages: %s", w.label, text, w.log.document(), w.log.waits(), strings.Join(w.log.take(), "\n  "))
	w.t.Fatalf(format, args...)
}
