// This module tests the officers' console in a real browser. It is apart from
// the main module so that what drives the browser stays out of it.
module parley/browser

go 1.26.0

require (
	github.com/chromedp/cdproto v0.159.0 // indirect
	github.com/chromedp/chromedp v0.23.0 // indirect
	github.com/go-json-experiment/json v0.0.0-20260213210345-44df1a37e875 // indirect
)
