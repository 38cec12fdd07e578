package console

import (
	"html/template"
	"io/fs"
	"net/http"
	"strings"

	"parley"
	"parley/docs/manual"
)

// ManualPage is one page of the manual.
type ManualPage struct {
	Page
	Blocks []Block
	Name   string
}

// Block is one piece of a manual page. The pages are ours; they are shown as
// structures all the same, so that the console has no way to show markup.
type Block struct {
	Kind  string // h1, h2, h3, p, ul, ol, pre, table
	Lines [][]Inline
	Rows  [][][]Inline
	Text  string
}

// Inline is a run of text within a paragraph.
type Inline struct {
	Kind string // text, code, strong, link
	Text string
	Href template.URL // of a link to another page of the manual
}

func (s *Server) manual(w http.ResponseWriter, q *request) error {
	name := q.PathValue("name")
	if name == "" {
		name = "index"
	}
	b, err := fs.ReadFile(manual.Files, name+".md")
	if err != nil {
		return parley.Errorf(CodeNoPage, "the manual has no such page")
	}
	p := ManualPage{Page: s.page(q, "manual", q.loc.T("nav.manual")), Name: name, Blocks: blocks(string(b))}
	return s.render(w, q, http.StatusOK, "manual", &p)
}

// blocks reads the plain Markdown of the manual.
func blocks(text string) (out []Block) {
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		switch {
		case strings.TrimSpace(line) == "":
		case strings.HasPrefix(line, "```"):
			b := Block{Kind: "pre"}
			var code []string
			for i++; i < len(lines) && !strings.HasPrefix(lines[i], "```"); i++ {
				code = append(code, lines[i])
			}
			b.Text = strings.Join(code, "\n")
			out = append(out, b)
		case strings.HasPrefix(line, "#"):
			head := strings.TrimLeft(line, "#")
			level := min(len(line)-len(head), 3)
			out = append(out, Block{Kind: "h" + string(rune('0'+level)), Lines: [][]Inline{inlines(strings.TrimSpace(head))}})
		case strings.HasPrefix(line, "|"):
			b := Block{Kind: "table"}
			for ; i < len(lines) && strings.HasPrefix(lines[i], "|"); i++ {
				if strings.Trim(lines[i], "|-: ") == "" {
					continue
				}
				var row [][]Inline
				for cell := range strings.SplitSeq(strings.Trim(strings.TrimSpace(lines[i]), "|"), "|") {
					row = append(row, inlines(strings.TrimSpace(cell)))
				}
				b.Rows = append(b.Rows, row)
			}
			i--
			out = append(out, b)
		case listItem(line) != "":
			b := Block{Kind: listKind(line)}
			for ; i < len(lines) && (listItem(lines[i]) != "" || strings.HasPrefix(lines[i], "  ") && len(b.Lines) > 0); i++ {
				if item := listItem(lines[i]); item != "" {
					b.Lines = append(b.Lines, inlines(item))
				} else {
					last := &b.Lines[len(b.Lines)-1]
					*last = append(*last, inlines(" "+strings.TrimSpace(lines[i]))...)
				}
			}
			i--
			out = append(out, b)
		default:
			para := []string{line}
			for i+1 < len(lines) && strings.TrimSpace(lines[i+1]) != "" && !strings.ContainsAny(lines[i+1][:1], "#|`") && listItem(lines[i+1]) == "" {
				i++
				para = append(para, lines[i])
			}
			out = append(out, Block{Kind: "p", Lines: [][]Inline{inlines(strings.Join(para, " "))}})
		}
	}
	return out
}

// listItem is the text of a list's item, empty for another line.
func listItem(line string) string {
	if rest, ok := strings.CutPrefix(line, "- "); ok {
		return rest
	}
	n, rest, ok := strings.Cut(line, ". ")
	if ok && n != "" && len(n) < 3 && strings.Trim(n, "0123456789") == "" {
		return rest
	}
	return ""
}

func listKind(line string) string {
	if strings.HasPrefix(line, "- ") {
		return "ul"
	}
	return "ol"
}

// inlines splits a line into runs: code, strong words, links to pages of the
// manual. A link that leads elsewhere keeps its words only.
func inlines(s string) (out []Inline) {
	add := func(kind, text string, href template.URL) {
		if text != "" {
			out = append(out, Inline{kind, text, href})
		}
	}
	for s != "" {
		i := strings.IndexAny(s, "`*[")
		if i < 0 {
			add("text", s, "")
			return out
		}
		add("text", s[:i], "")
		s = s[i:]
		switch {
		case s[0] == '`' && strings.Contains(s[1:], "`"):
			j := 1 + strings.IndexByte(s[1:], '`')
			add("code", s[1:j], "")
			s = s[j+1:]
		case strings.HasPrefix(s, "**") && strings.Contains(s[2:], "**"):
			j := 2 + strings.Index(s[2:], "**")
			add("strong", s[2:j], "")
			s = s[j+2:]
		case s[0] == '[' && strings.Contains(s, "](") && strings.Contains(s, ")"):
			words, rest, _ := strings.Cut(s[1:], "](")
			to, after, _ := strings.Cut(rest, ")")
			if page, ok := strings.CutSuffix(to, ".md"); ok && strings.Trim(page, "abcdefghijklmnopqrstuvwxyz-") == "" {
				add("link", words, template.URL("/manual/"+page))
			} else {
				add("text", words, "")
			}
			s = after
		default:
			add("text", s[:1], "")
			s = s[1:]
		}
	}
	return out
}
