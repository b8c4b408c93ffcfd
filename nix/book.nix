# The book's chapters, as they are. mdBook is not in the lock: it would bring more crates than all of the project, for pages that any
# mdBook makes of this folder. What is built here is the proof that the folder is whole: every chapter is in the summary, and
# every link inside the book leads somewhere.
{ run }:
run {
  name = "book";
  script = ''
    cd ${../docs/src}
    missing=0
    for page in *.md; do
      [ $page = SUMMARY.md ] || grep -q "($page)" SUMMARY.md || { echo "docs/src/$page is not in SUMMARY.md" >&2; missing=1; }
      for link in $(grep -o ']([a-z0-9_-]*\.\(md\|svg\)' $page | cut -c 3-); do
        [ -e $link ] || { echo "docs/src/$page: there is no $link" >&2; missing=1; }
      done
    done
    [ $missing = 0 ]
    cp -r . $out
  '';
}
