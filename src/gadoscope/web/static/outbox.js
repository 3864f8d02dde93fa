// Decisions that the server has not confirmed yet: kept in this browser, and sent again until it has.
// Each has a key of its own in localStorage, so that two windows do not write over each other.
"use strict"
const Outbox = (() => {
  const PREFIX = "gadoscope-outbox:"
  const FIRST_WAIT_MS = 500, LONGEST_WAIT_MS = 15000
  const listeners = []
  let sending = false, timer = 0, wait = FIRST_WAIT_MS, count = 0, trouble = ""

  const keys = () => Object.keys(localStorage).filter(key => key.startsWith(PREFIX)).sort()
  const items = () => keys().map(key => ({ key, ...JSON.parse(localStorage.getItem(key)) }))
  const token = () => {
    const bytes = crypto.getRandomValues(new Uint8Array(16))
    return Array.from(bytes, byte => byte.toString(16).padStart(2, "0")).join("")
  }
  const tell = (kind, item, said) => listeners.forEach(listener => listener(kind, item, said))

  // Sorted as they were made: time first, then a counter, then the token.
  const put = item => {
    const order = `${Date.now().toString().padStart(15, "0")}-${(count++).toString().padStart(6, "0")}`
    try {
      localStorage.setItem(`${PREFIX}${order}-${item.body.token}`, JSON.stringify(item))
    } catch (error) {
      tell("refused", item, "this browser keeps nothing: its storage is full or switched off")
      return false
    }
    tell("kept", item)
    wait = FIRST_WAIT_MS
    flush()
    return true
  }

  const flush = async () => {
    if (sending) return
    sending = true
    clearTimeout(timer)
    try {
      for (let item of items()) {
        if (item.refused) continue
        if (!await send(item)) {
          timer = setTimeout(flush, wait)
          wait = Math.min(wait * 2, LONGEST_WAIT_MS)
          break
        }
        wait = FIRST_WAIT_MS
      }
    } finally {
      sending = false
    }
    if (!trouble && items().some(item => !item.refused)) flush()
  }

  // Returns whether the next one may be sent.
  const send = async item => {
    let answer
    try {
      answer = await fetch(item.url, {
        method: "POST", credentials: "same-origin", redirect: "error",
        headers: { "Content-Type": "application/json", "Accept": "application/json" },
        body: JSON.stringify(item.body), signal: AbortSignal.timeout(10000),
      })
    } catch (error) {
      trouble = "no connection"
      tell("waiting", item, trouble)
      return false
    }
    let said = {}
    try { said = await answer.json() } catch (error) { /* the status says enough */ }
    if (answer.ok && said.token === item.body.token) {
      trouble = ""
      localStorage.removeItem(item.key)
      tell("saved", item, said)
      return true
    }
    const passing = answer.status === 401 || answer.status === 408 || answer.status === 429 || answer.status >= 500
    if (passing) {
      trouble = answer.status === 401 ? "sign in again" : "the store is busy"
      tell("waiting", item, trouble)
      return false
    }
    trouble = ""
    localStorage.setItem(item.key, JSON.stringify({ ...item, key: undefined, refused: said.detail || `HTTP ${answer.status}` }))
    tell("refused", item, said.detail || `HTTP ${answer.status}`)
    return true
  }

  const forget = refusedOnly => items().forEach(item => {
    if (!refusedOnly || item.refused) localStorage.removeItem(item.key)
  })

  addEventListener("online", () => { wait = FIRST_WAIT_MS; flush() })
  addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") flush() })
  return { put, flush, items, token, forget, listen: listener => listeners.push(listener), trouble: () => trouble }
})()
