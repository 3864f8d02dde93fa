// A table that is wider than the page scrolls in a box that the theme puts around it; a keyboard reaches the box, too.
addEventListener("load", () => {
  for (const box of document.querySelectorAll(".md-typeset__scrollwrap"))
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0
})
