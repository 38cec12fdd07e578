module github.com/transparency-dev/merkle

go 1.26.0
