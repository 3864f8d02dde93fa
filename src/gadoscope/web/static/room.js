// The keys of the room, and what they do: decide, undo, go on. Pages come whole from the server; the next one
// is fetched ahead, and its first slice with it.
"use strict"
const Room = (() => {
  const VERDICTS = { 1: "pre", 2: "post", 3: "mixed", 0: "not_t1", u: "unsure" }
  const WORDS = { pre: "pre-contrast", post: "post-contrast", mixed: "mixed", not_t1: "not a T1 brain", unsure: "unsure" }
  const TOAST_MS = 2500, KEPT_PAGES = 8
  const pages = new Map()
  const setting = (name, otherwise) => localStorage.getItem(`gadoscope-${name}`) ?? otherwise
  const byId = id => document.getElementById(id)
  const series = () => byId("series")
  const isBlind = () => document.body.classList.contains("blind")
  const isHidden = () => isBlind() && !document.body.classList.contains("decided")

  const toast = (text, kind = "") => {
    const line = document.createElement("p")
    line.className = `toast ${kind}`
    line.textContent = text
    byId("toasts").append(line)
    setTimeout(() => line.remove(), kind ? 4 * TOAST_MS : TOAST_MS)
  }

  // Decisions of this window, the last one last; undone from its end, also after a reload.
  const made = () => JSON.parse(sessionStorage.getItem("gadoscope-made") || "[]")
  const remember = list => sessionStorage.setItem("gadoscope-made", JSON.stringify(list.slice(-200)))

  const decide = verdict => {
    const article = series()
    if (!article) return
    const note = document.querySelector(".decide [name=note]")
    const token = Outbox.token(), place = article.dataset.place
    const item = {
      url: `/series/${place}/decisions`, place, verdict,
      body: {
        token, verdict, note: note.value, digest: article.dataset.digest, model: article.dataset.model,
        reader: document.body.dataset.reader, is_blind: isHidden(),
      },
    }
    const stays = isBlind()
    if (!Outbox.put(item)) return
    remember([...made(), { token, place, url: location.pathname + location.search }])
    pages.delete(location.pathname + location.search)
    mark(verdict, token)
    document.body.classList.add("decided")
    note.value = ""
    if (!stays && setting("go-on", "yes") === "yes") go("next", true)
  }

  const mark = (verdict, token) => {
    series().dataset.decided = verdict
    document.querySelectorAll(".verdicts button").forEach(button => {
      button.setAttribute("aria-pressed", button.value === verdict)
      button.classList.toggle("pending", button.value === verdict)
    })
    const said = byId("decision")
    said.dataset.token = token
    said.className = "said-decision pending"
    said.textContent = verdict ? `${WORDS[verdict]}: being saved` : "being undone"
  }

  // As the server writes it when the page is asked for again.
  const log = (item, said) => {
    const history = document.querySelector(".history")
    let list = history.querySelector("ol")
    if (!list) {
      list = document.createElement("ol")
      list.className = "plain"
      history.querySelector("p").replaceWith(list)
    }
    const line = document.createElement("li"), words = document.createElement("span"), at = document.createElement("small")
    words.className = `verdict v-${item.verdict}`
    words.textContent = WORDS[item.verdict] || "undone"
    at.textContent = said.reviewed_at
    line.append(words, ` ${said.reader}${said.is_blind ? ", blind" : ""} `, at)
    list.prepend(line)
  }

  const undo = async () => {
    const list = made()
    const last = list.pop()
    const article = series()
    const shown = article && article.dataset.mine ? { token: article.dataset.mine, place: article.dataset.place, url: location.pathname + location.search } : null
    const of = last || shown
    if (!of) { toast("nothing to undo in this window"); return }
    const token = Outbox.token()
    Outbox.put({ url: `/series/${of.place}/withdrawals`, place: of.place, verdict: "", body: { token, of: of.token, reader: document.body.dataset.reader } })
    remember(list)
    pages.delete(of.url)
    if (location.pathname + location.search !== of.url) await show(of.url, true)
    if (series() && series().dataset.place === of.place) mark("", token)
    if (!isBlind()) return
    document.body.classList.remove("decided")
  }

  const state = () => {
    const all = Outbox.items(), refused = all.filter(item => item.refused), unsent = all.length - refused.length
    const badge = byId("outbox")
    badge.dataset.state = refused.length ? "refused" : unsent ? "unsent" : "empty"
    const why = Outbox.trouble()
    badge.textContent = refused.length ? `${refused.length} refused` : unsent ? `${unsent} not saved yet${why ? `: ${why}` : ""}` : "all saved"
    badge.title = refused.map(item => `series ${item.place}: ${item.refused}`).join("\n")
  }

  Outbox.listen((kind, item, said) => {
    state()
    const line = byId("decision")
    if (kind === "saved") {
      const words = item.verdict ? `Saved: ${WORDS[item.verdict]}` : "Undone"
      if (line && line.dataset.token === item.body.token) {
        line.className = "said-decision"
        line.textContent = `${words}, ${said.reviewed_at}`
        document.querySelectorAll(".verdicts .pending").forEach(button => button.classList.remove("pending"))
        log(item, said)
      } else if (item.verdict) {
        toast(`Series ${item.place}: ${words.toLowerCase()}`)
      }
      pages.forEach((_, url) => { if (url.split("?")[0] === `/series/${item.place}`) pages.delete(url) })
    } else if (kind === "refused") {
      toast(`Series ${item.place} was not saved: ${said}`, "serious")
    }
  })

  const load = url => {
    if (!pages.has(url)) {
      const asked = fetch(url, { credentials: "same-origin", headers: { Accept: "text/html" } }).then(async answer => {
        if (!answer.ok || answer.redirected) throw new Error(`HTTP ${answer.status}`)
        return answer.text()
      })
      pages.set(url, asked)
      asked.catch(() => pages.delete(url))
      while (pages.size > KEPT_PAGES) pages.delete(pages.keys().next().value)
    }
    return pages.get(url)
  }

  // Puts another page of the room in the place of this one, without loading scripts and style again.
  const show = async (url, push) => {
    let text
    try {
      text = await load(url)
    } catch (error) {
      if (navigator.onLine && !Outbox.trouble()) { location.href = url; return }
      toast("no connection: the page comes when the server is back", "serious")
      return
    }
    const other = new DOMParser().parseFromString(text, "text/html")
    const main = other.getElementById("main")
    if (!main) { location.href = url; return }
    if (push) history.pushState({}, "", url)
    document.title = other.title
    byId("main").replaceWith(document.adoptNode(main))
    document.querySelectorAll(".bar nav a").forEach((link, at) => {
      const mine = other.querySelectorAll(".bar nav a")[at]
      if (mine && mine.hasAttribute("aria-current")) link.setAttribute("aria-current", "page")
      else link.removeAttribute("aria-current")
    })
    scrollTo(0, 0)
    if (window.htmx) htmx.process(byId("main"))
    begin()
  }

  const go = (where, decided) => {
    const article = series()
    if (!article) {
      const first = byId("begin") || document.querySelector(".begin .primary")
      if (first && where === "next") first.click()
      return
    }
    const place = article.dataset[where]
    if (!place) {
      toast(where === "next" ? "that was the last one of this queue" : "that is the first one of this queue")
      return
    }
    show(address(place), true)
  }
  const address = place => `/series/${place}${series().dataset.query ? `?${series().dataset.query}` : ""}`

  // The next page, what its scan is, and the first slice that will be shown.
  const ahead = async () => {
    const article = series()
    if (!article || !article.dataset.next) return
    try {
      const text = await load(address(article.dataset.next))
      const view = new DOMParser().parseFromString(text, "text/html").querySelector(".viewer")
      new Image().src = `${view.dataset.slice}?v=${view.dataset.v}`
      await Viewer.loadStacks(view.dataset.stacks)
    } catch (error) { /* it is loaded when it is asked for */ }
  }

  const begin = () => {
    const article = series()
    document.body.classList.toggle("decided", Boolean(article && article.dataset.decided))
    state()
    if (!article) return
    const waiting = Outbox.items().filter(item => item.place === article.dataset.place && !item.refused).pop()
    if (waiting) mark(waiting.verdict, waiting.body.token)
    Viewer.open(article).then(() => setTimeout(ahead, 30))
    byId("decide").addEventListener("submit", event => {
      event.preventDefault()
      if (event.submitter) decide(event.submitter.value)
    })
    const back = document.querySelector("form.undo")
    if (back) back.addEventListener("submit", event => { event.preventDefault(); undo() })
  }

  const blind = () => {
    const on = document.body.classList.toggle("blind")
    document.cookie = `gadoscope-blind=${on ? 1 : 0}; path=/; SameSite=Strict; max-age=31536000`
    byId("blind").setAttribute("aria-pressed", on)
    pages.clear()
    toast(on ? "blind: probability and header are hidden until you decide" : "probability and header are shown")
  }
  const help = () => { const dialog = byId("help"); dialog.open ? dialog.close() : dialog.showModal() }

  const KEYS = { n: () => go("next"), p: () => go("previous"), z: undo, b: blind, "?": help }
  for (const [key, verdict] of Object.entries(VERDICTS)) KEYS[key] = () => decide(verdict)
  const isTyping = target => target.closest && target.closest("input:not([type=range]):not([type=checkbox]), textarea, select")

  addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return
    if (isTyping(event.target)) { if (event.key === "Escape") event.target.blur(); return }
    const dialog = byId("help")
    if (dialog.open && event.key !== "?") return
    if (setting("keys-on", "yes") !== "yes" && event.key !== "?") return
    const isArrow = event.key.startsWith("Arrow") || event.key.startsWith("Page")
    if (isArrow && (!series() || event.target.closest(".scroll, input[type=range]"))) return
    const act = KEYS[event.key] || (series() && Viewer.KEYS[event.key])
    if (!act || (event.repeat && !isArrow && !Viewer.KEYS[event.key])) return
    event.preventDefault()
    act()
  })
  addEventListener("click", event => {
    const link = event.target.closest("a")
    if (event.target.closest("[data-copy]")) {
      navigator.clipboard.writeText(byId(event.target.closest("[data-copy]").dataset.copy).textContent).then(() => toast("copied"))
      return
    }
    if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return
    const url = new URL(link.href)
    if (url.origin !== location.origin || !/^\/series\/\d+$/.test(url.pathname)) return
    event.preventDefault()
    show(url.pathname + url.search, true)
  })
  addEventListener("popstate", () => show(location.pathname + location.search, false))
  addEventListener("storage", state)
  byId("blind").onclick = blind
  byId("keys").onclick = help
  byId("outbox").onclick = () => { Outbox.forget(true); Outbox.flush(); state() }
  for (const name of ["keys-on", "go-on"]) {
    byId(name).checked = setting(name, "yes") === "yes"
    byId(name).onchange = event => localStorage.setItem(`gadoscope-${name}`, event.target.checked ? "yes" : "no")
  }
  Outbox.flush()
  begin()
  document.documentElement.dataset.ready = "yes"
  return { decide, undo, go, show }
})()
