// Slices of one series: scrolled, windowed, zoomed, in three planes. The server draws them; only the last
// picture that is asked for is waited for, so that a drag never lags behind.
"use strict"
const Viewer = (() => {
  const SIDES = { axial: ["R", "L"], coronal: ["R", "L"], sagittal: ["A", "P"] }
  const stackCache = new Map()
  let own, root

  const loadStacks = url => {
    if (!stackCache.has(url)) {
      const asked = fetch(url, { credentials: "same-origin" }).then(answer => answer.json())
      stackCache.set(url, asked)
      asked.catch(() => stackCache.delete(url))
      if (stackCache.size > 60) stackCache.delete(stackCache.keys().next().value)
    }
    return stackCache.get(url)
  }
  const sliceUrl = (base, plane, index, window_, version, size) => {
    const asked = new URLSearchParams({ plane, index })
    if (window_) { asked.set("low", window_[0].toPrecision(6)); asked.set("high", window_[1].toPrecision(6)) }
    if (size) asked.set("size", size)
    if (version) asked.set("v", version)
    return `${base}?${asked}`
  }

  // Shows the last of the addresses that it is given, one at a time.
  const shower = image => {
    let wanted = null, busy = false
    const next = () => {
      if (busy || wanted === null) return
      const url = wanted
      wanted = null
      if (image.getAttribute("src") === url) return
      busy = true
      const done = () => { busy = false; next() }
      image.onload = image.onerror = done
      image.src = url
    }
    return url => { wanted = url; next() }
  }

  const element = id => root.querySelector(`#${id}`)

  const open = async article => {
    root = article
    const view = root.querySelector(".viewer")
    if (!view) { own = null; return }
    const state = own = {
      view, version: view.dataset.v, base: view.dataset.slice, plane: null, index: 0, window: null,
      zoom: 1, move: [0, 0], evidence: false, show: shower(element("slice")), siblings: [], stacks: null,
    }
    listen(state)
    let said
    try {
      said = await loadStacks(view.dataset.stacks)
    } catch (error) {
      said = { error: "the server does not answer; the picture comes when it does" }
    }
    if (own !== state) return
    if (said.error) { note(said.error); return }
    state.stacks = said.stacks
    state.limits = said.limits
    said.notes.forEach(note)
    const first = Object.values(said.stacks)[0]
    const read = Object.values(said.stacks).find(one => one.read.length) || first
    state.plane = read.plane
    state.index = middle(read)
    state.first = [state.plane, state.index]
    planes(state)
    strip(state)
    root.querySelectorAll(".tools button").forEach(button => { button.disabled = false })
    element("in-3d").hidden = !said.is_volume
    element("index").disabled = false
    draw()
    siblings(state)
  }

  const middle = stack => stack.read.length ? stack.read[Math.floor(stack.read.length / 2)] : Math.floor(stack.n / 2)
  const note = text => {
    const line = document.createElement("li")
    line.textContent = text
    element("notes").append(line)
  }

  const planes = state => {
    const group = root.querySelector(".planes")
    const names = Object.keys(state.stacks)
    group.hidden = names.length < 2
    group.replaceChildren(...names.map(name => {
      const button = document.createElement("button")
      button.type = "button"
      button.dataset.plane = name
      button.innerHTML = `${name} <kbd>${name[0]}</kbd>`
      button.onclick = () => plane(name)
      return button
    }))
  }

  const strip = state => {
    const parts = Object.values(state.stacks).flatMap(one => one.read.map(index => ({ one, index })))
    const shown = parts.length > 1 ? parts : []
    element("read-strip").replaceChildren(...shown.map(({ one, index }) => {
      const button = document.createElement("button")
      button.type = "button"
      button.dataset.at = `${one.plane} ${index}`
      const image = new Image()
      image.src = sliceUrl(state.base, one.plane, index, null, state.version, 192)
      image.alt = ""
      image.loading = "lazy"
      const words = document.createElement("span")
      words.textContent = `read: ${index + 1}`
      button.append(image, words)
      button.onclick = () => { state.plane = one.plane; state.index = index; draw() }
      return button
    }))
  }

  const siblings = async state => {
    for (const tile of root.querySelectorAll(".siblings figure")) {
      try {
        const said = await loadStacks(tile.dataset.stacks)
        if (said.error) continue
        state.siblings.push({ said, base: tile.dataset.slice, show: shower(tile.querySelector("img")), tile })
      } catch (error) { continue }
      if (own !== state) return
    }
    follow()
  }

  // The others at the same place: by millimetres, in the plane that is shown.
  const follow = () => {
    const stack = own.stacks[own.plane]
    for (const one of own.siblings) {
      const theirs = one.said.stacks[own.plane]
      if (!theirs) continue
      let index = middle(theirs)
      if (stack.first_mm !== null && theirs.first_mm !== null) {
        const at = stack.first_mm + own.index * stack.step_mm
        index = Math.max(0, Math.min(theirs.n - 1, Math.round((at - theirs.first_mm) / theirs.step_mm)))
      }
      one.show(sliceUrl(one.base, own.plane, index, null, one.said.version, 256))
    }
  }

  const draw = () => {
    const stack = own.stacks[own.plane]
    own.index = Math.max(0, Math.min(stack.n - 1, own.index))
    const number = stack.read.indexOf(own.index)
    if (own.evidence && stack.read.length === 0) own.evidence = false
    const shown = own.evidence ? `${own.view.dataset.evidence}?plane=${own.plane}&index=${nearest(stack)}&v=${own.version}`
      : !own.window && own.plane === own.first[0] && own.index === own.first[1] ? `${own.base}?v=${own.version}`  // drawn with the page
      : sliceUrl(own.base, own.plane, own.index, own.window, own.version)
    own.show(shown)
    const image = element("slice")
    image.alt = `${own.plane} slice ${own.index + 1} of ${stack.n}${number >= 0 ? ", which the network read" : ""}`
    image.style.transform = own.zoom === 1 && !own.evidence ? "" : own.evidence ? "" : `translate(${own.move[0]}px, ${own.move[1]}px) scale(${own.zoom})`
    const range = element("index")
    range.max = stack.n - 1
    range.value = own.index
    range.setAttribute("aria-valuetext", image.alt)
    element("said-plane").textContent = `${own.plane === "unknown" ? "slice" : own.plane} ${own.index + 1} / ${stack.n}${stack.is_own ? "" : ", computed"}`
    element("said-read").innerHTML = number >= 0 ? '<span class="read-badge">read by the network</span>' : ""
    const [low, high] = own.window || own.limits
    element("said-window").textContent = own.evidence ? "occlusion" : `W ${Math.round(high - low)}  L ${Math.round((high + low) / 2)}`
    element("said-zoom").textContent = own.zoom === 1 ? "" : `${Math.round(own.zoom * 100)} %`
    const [left, right] = own.evidence ? ["", ""] : SIDES[own.plane] || ["", ""]
    element("side-left").textContent = left
    element("side-right").textContent = right
    element("marks").replaceChildren(...stack.read.map(index => {
      const mark = document.createElement("i")
      mark.style.left = `${stack.n > 1 ? 100 * index / (stack.n - 1) : 50}%`
      return mark
    }))
    root.querySelectorAll(".planes button").forEach(button => button.setAttribute("aria-pressed", button.dataset.plane === own.plane))
    root.querySelectorAll(".read-strip button").forEach(button => button.setAttribute("aria-pressed", button.dataset.at === `${own.plane} ${own.index}`))
    const toggle = root.querySelector("[data-do=evidence]")
    toggle.setAttribute("aria-pressed", own.evidence)
    toggle.disabled = !Object.values(own.stacks).some(one => one.read.length)
    element("legend").hidden = !own.evidence
    follow()
  }

  // The slice that was read and lies nearest.
  const nearest = stack => stack.read.reduce((best, index) => Math.abs(index - own.index) < Math.abs(best - own.index) ? index : best, stack.read[0])

  const ready = () => own && own.stacks
  const scroll = steps => { if (ready()) { own.index += steps; draw() } }
  const plane = name => {
    if (!ready() || !own.stacks[name] || name === own.plane) return
    own.plane = name
    own.index = middle(own.stacks[name])
    draw()
  }
  const window_ = (wider, brighter) => {
    if (!ready() || own.evidence) return
    const [low, high] = own.window || own.limits, full = own.limits[1] - own.limits[0]
    const width = Math.max(full / 200, (high - low) * wider)
    const level = (high + low) / 2 - brighter * full
    own.window = [level - width / 2, level + width / 2]
    draw()
  }
  const zoom = factor => {
    if (!ready()) return
    own.zoom = Math.max(1, Math.min(8, own.zoom * factor))
    if (own.zoom === 1) own.move = [0, 0]
    draw()
  }
  const reset = () => { if (ready()) { own.window = null; own.zoom = 1; own.move = [0, 0]; draw() } }
  const evidence = () => {
    if (!ready()) return
    own.evidence = !own.evidence
    if (own.evidence && !own.stacks[own.plane].read.length) {
      const read = Object.values(own.stacks).find(one => one.read.length)
      if (read) { own.plane = read.plane; own.index = middle(read) }
    }
    if (own.evidence && !own.stacks[own.plane].read.includes(own.index)) jump()
    draw()
  }
  const jump = () => {
    if (!ready()) return
    const read = own.stacks[own.plane].read
    if (!read.length) return
    own.index = read.find(index => index > own.index) ?? read[0]
    draw()
  }

  const listen = state => {
    const stage = element("stage")
    let from = null
    stage.addEventListener("wheel", event => {
      event.preventDefault()
      if (event.ctrlKey) zoom(event.deltaY < 0 ? 1.15 : 1 / 1.15)
      else scroll(Math.sign(event.deltaY))
    }, { passive: false })
    stage.addEventListener("pointerdown", event => {
      if (!ready()) return
      from = { x: event.clientX, y: event.clientY, window: own.window || own.limits, move: own.move, index: own.index, kind: event.pointerType }
      stage.setPointerCapture(event.pointerId)
    })
    stage.addEventListener("pointermove", event => {
      if (!from || own !== state) return
      const right = event.clientX - from.x, down = event.clientY - from.y
      if (event.shiftKey || (own.zoom > 1 && from.kind !== "mouse")) {
        own.move = [from.move[0] + right, from.move[1] + down]
      } else if (from.kind !== "mouse") {  // a finger scrolls
        own.index = from.index + Math.round(down / 8)
      } else if (!own.evidence) {
        const full = own.limits[1] - own.limits[0]
        const width = Math.max(full / 200, (from.window[1] - from.window[0]) * Math.exp(right / 300))
        const level = (from.window[0] + from.window[1]) / 2 + down / 400 * full
        own.window = [level - width / 2, level + width / 2]
      }
      draw()
    })
    stage.addEventListener("pointerup", () => { from = null })
    stage.addEventListener("dblclick", reset)
    element("index").addEventListener("input", event => { own.index = Number(event.target.value); draw() })
    root.querySelector("[data-do=reset]").onclick = reset
    root.querySelector("[data-do=evidence]").onclick = evidence
  }

  const KEYS = {
    ArrowUp: () => scroll(-1), ArrowDown: () => scroll(1), PageUp: () => scroll(-5), PageDown: () => scroll(5),
    ArrowLeft: () => window_(1, -0.04), ArrowRight: () => window_(1, 0.04),
    ",": () => window_(1 / 1.15, 0), ".": () => window_(1.15, 0),
    "+": () => zoom(1.25), "=": () => zoom(1.25), "-": () => zoom(1 / 1.25),
    a: () => plane("axial"), s: () => plane("sagittal"), c: () => plane("coronal"),
    o: evidence, r: reset, j: jump,
  }
  return { open, KEYS, loadStacks }
})()
