package console

import "strings"

// phrase is a sentence agreed in advance, in every language of the console.
// Its English is the original; the others were translated without a native
// speaker and say so wherever they stand.
type phrase struct {
	code       string
	en, hi, ur string
}

// phrases are short, hold one thought each, and have no blanks: what differs
// is written below them in a paragraph of its own.
var phrases = []phrase{
	{"P01", "We have received your message and are considering it. An answer will follow.",
		"आपका संदेश मिल गया है और उस पर विचार हो रहा है। उत्तर भेजा जाएगा।",
		"آپ کا پیغام موصول ہو گیا ہے اور اس پر غور ہو رہا ہے۔ جواب بھیجا جائے گا۔"},
	{"P02", "Please confirm that you have received this message.",
		"कृपया पुष्टि करें कि आपको यह संदेश मिला है।",
		"براہ کرم تصدیق کریں کہ آپ کو یہ پیغام موصول ہوا ہے۔"},
	{"P03", "Please state whether this event was intended.",
		"कृपया बताएँ कि क्या यह घटना जानबूझकर की गई थी।",
		"براہ کرم بتائیں کہ آیا یہ واقعہ دانستہ تھا۔"},
	{"P04", "The event described below was an accident. It was not intended.",
		"नीचे वर्णित घटना एक दुर्घटना थी। यह जानबूझकर नहीं की गई।",
		"ذیل میں بیان کردہ واقعہ ایک حادثہ تھا۔ یہ دانستہ نہیں تھا۔"},
	{"P05", "We know of no action of our forces at the place and time that you named.",
		"आपके बताए स्थान और समय पर हमारे बलों की किसी कार्रवाई की हमें जानकारी नहीं है।",
		"آپ کے بتائے ہوئے مقام اور وقت پر ہماری افواج کی کسی کارروائی کا ہمیں علم نہیں۔"},
	{"P06", "We are looking into it and will report what we find.",
		"हम इसकी जाँच कर रहे हैं और जो पता चलेगा उसकी सूचना देंगे।",
		"ہم اس کی چھان بین کر رہے ہیں اور جو معلوم ہوگا اس کی اطلاع دیں گے۔"},
	{"P07", "We propose a call between the senior officers of both sides.",
		"हम दोनों पक्षों के वरिष्ठ अधिकारियों के बीच बातचीत का प्रस्ताव रखते हैं।",
		"ہم دونوں فریقوں کے اعلیٰ افسران کے درمیان گفتگو کی تجویز پیش کرتے ہیں۔"},
	{"P08", "We ask for a meeting at flag level.",
		"हम फ़्लैग स्तर की बैठक का अनुरोध करते हैं।",
		"ہم فلیگ سطح کی ملاقات کی درخواست کرتے ہیں۔"},
	{"P09", "An exercise will take place as described below. It is directed against nobody.",
		"नीचे दिए विवरण के अनुसार एक अभ्यास होगा। यह किसी के विरुद्ध नहीं है।",
		"ذیل میں دی گئی تفصیل کے مطابق ایک مشق ہوگی۔ یہ کسی کے خلاف نہیں ہے۔"},
	{"P10", "The activity described below has ended.",
		"नीचे वर्णित गतिविधि समाप्त हो गई है।",
		"ذیل میں بیان کردہ سرگرمی ختم ہو گئی ہے۔"},
	{"P11", "Please do nothing that could be misunderstood until we have spoken.",
		"कृपया हमारी बातचीत होने तक ऐसा कुछ न करें जिसे ग़लत समझा जा सके।",
		"براہ کرم ہماری گفتگو ہونے تک ایسا کچھ نہ کریں جسے غلط سمجھا جا سکے۔"},
	{"P12", "We ask for a halt to firing from the time stated below. Please confirm.",
		"हम नीचे दिए समय से गोलीबारी रोकने का अनुरोध करते हैं। कृपया पुष्टि करें।",
		"ہم ذیل میں دیے گئے وقت سے فائرنگ روکنے کی درخواست کرتے ہیں۔ براہ کرم تصدیق کریں۔"},
	{"P13", "A person or vehicle of ours may have crossed by mistake, as described below. Please ensure their safety.",
		"हमारा कोई व्यक्ति या वाहन, जैसा नीचे वर्णित है, ग़लती से पार चला गया हो सकता है। कृपया उसकी सुरक्षा सुनिश्चित करें।",
		"ہمارا کوئی شخص یا گاڑی، جیسا کہ ذیل میں بیان ہے، غلطی سے سرحد پار کر گئی ہو سکتی ہے۔ براہ کرم اس کی حفاظت یقینی بنائیں۔"},
	{"P14", "This line is being tested. No action is needed.",
		"इस लाइन की जाँच हो रही है। किसी कार्रवाई की आवश्यकता नहीं है।",
		"اس لائن کی جانچ ہو رہی ہے۔ کسی کارروائی کی ضرورت نہیں۔"},
}

func (p phrase) in(lang string) string {
	switch lang {
	case "hi":
		return p.hi
	case "ur":
		return p.ur
	}
	return p.en
}

// Translation is a text in another language than it was written in, with who
// made it and how far it was reviewed.
type Translation struct {
	Lang   string
	Dir    string
	Parts  []TranslatedPart
	Whole  bool // every paragraph is an agreed phrase
	Source string
}

// TranslatedPart is one paragraph: translated, or kept as it was written
// because no agreed phrase covers it.
type TranslatedPart struct {
	Text string
	Code string // of the phrase; empty if it stands as it was written
}

// translations finds agreed phrases in a text and shows them in the officer's
// language. It invents nothing: a paragraph that is no agreed phrase stays as
// it was written.
func translations(text, written, want string) []Translation {
	if base, _, _ := strings.Cut(written, "-"); base == want {
		return nil
	}
	t := Translation{Lang: want, Dir: "ltr", Whole: true}
	if want == "ur" {
		t.Dir = "rtl"
	}
	found := false
	for _, para := range strings.Split(strings.TrimSpace(text), "\n\n") {
		part := TranslatedPart{Text: strings.TrimSpace(para)}
		for _, p := range phrases {
			for _, lang := range []string{"en", "hi", "ur"} {
				if part.Text == p.in(lang) && lang != want {
					part, found = TranslatedPart{p.in(want), p.code}, true
				}
			}
			if part.Code != "" {
				break
			}
		}
		t.Whole = t.Whole && part.Code != ""
		t.Parts = append(t.Parts, part)
	}
	if !found {
		return nil
	}
	return []Translation{t}
}
