// Node's own http2, or undici: `node main.mjs http2|undici URL CA MODE SECONDS`.
import { readFileSync } from 'node:fs'
import http2 from 'node:http2'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'

const [library, url, authority, mode, seconds] = process.argv.slice(2)
const ca = readFileSync(authority)
const upload = mode === 'upload'

async function* drip() {
  for (let piece = 0; piece < 10; piece++) {
    yield Buffer.alloc(100, 'x')
    await sleep(20)
  }
}

let session
/** A session is used until it is closed, as the manual says. */
function http2Request() {
  if (!session || session.closed || session.destroyed) {
    session = http2.connect(url, { ca })
    session.on('error', () => {})
  }
  return new Promise((resolve, reject) => {
    const { pathname } = new URL(url)
    const stream = session.request({ ':path': pathname, ':method': upload ? 'POST' : 'GET' }, { endStream: !upload })
    let status
    stream.on('response', (head) => { status = head[':status'] })
    stream.on('error', reject)
    stream.on('end', () => status === 200 ? resolve() : reject(new Error(`status ${status}`)))
    stream.on('close', () => reject(new Error(`closed with code ${stream.rstCode}`)))
    stream.resume()
    if (upload) Readable.from(drip()).pipe(stream)
  })
}

async function undiciRequest(undici, dispatcher) {
  const body = upload ? Readable.from(drip()) : undefined
  const answer = await undici.request(url, { dispatcher, method: upload ? 'POST' : 'GET', body })
  await answer.body.text()
  if (answer.statusCode !== 200) throw new Error(`status ${answer.statusCode}`)
}

let [version, ask] = [process.version, http2Request]
if (library === 'undici') {
  const undici = await import('undici')
  version = JSON.parse(readFileSync(new URL('node_modules/undici/package.json', import.meta.url))).version
  const dispatcher = new undici.Agent({ allowH2: true, connections: 1, connect: { ca } })
  ask = () => undiciRequest(undici, dispatcher)
}

const all = { version, requests: 0, lost: 0, why: {} }
const end = Date.now() + 1000 * seconds
async function loop() {
  while (Date.now() < end) {
    all.requests++
    try {
      await ask()
    } catch (error) {
      all.lost++
      const why = `${error.code ?? error.name}: ${error.message}`
      all.why[why] = (all.why[why] ?? 0) + 1
      await sleep(5)
    }
    if (mode === 'pause') await sleep(50 + 450 * Math.random())
  }
}
await Promise.all(Array.from({ length: mode === 'parallel' ? 8 : 1 }, loop))
console.log(JSON.stringify(all))
process.exit(0)
