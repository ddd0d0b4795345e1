// Drives a server that speaks Toxiproxy's API by the clients for Node, and looks at connections for what comes of it. For each thing that was tried it
// writes a line of JSON: its name, and what was wrong with it.
import net from 'node:net'
import { createRequire } from 'node:module'

const require = createRequire(process.argv[3] + '/')
const { Toxiproxy } = require('toxiproxy-node-client')
const { StartedToxiProxyContainer } = require('@testcontainers/toxiproxy')

const url = process.argv[2]
const toxiproxy = new Toxiproxy(url)

async function tries (name, f) {
  let error = ''
  try {
    await f()
  } catch (err) {
    error = String(err.stack || err)
  }
  console.log(JSON.stringify({ name, error }))
}

function equal (what, got, want) {
  const [a, b] = [JSON.stringify(got), JSON.stringify(want)]
  if (a !== b) throw new Error(`${what}: got ${a}, want ${b}`)
}

async function refused (what, promise, status) {
  const err = await promise.then(() => null, err => err)
  const got = err && (err.status ?? err.response?.status ?? err.statusCode ?? String(err))
  if (!err || !JSON.stringify([got, String(err), err.response?.status]).includes(String(status))) throw new Error(`${what}: got ${got}, want ${status}`)
}

// upstream sends back what it gets.
const upstream = net.createServer({ allowHalfOpen: true }, conn => {
  conn.on('error', () => {})
  conn.on('data', data => conn.write(data))
  conn.on('end', () => conn.end())
})
await new Promise(resolve => upstream.listen(0, '127.0.0.1', resolve))
const at = `127.0.0.1:${upstream.address().port}`

// dial connects to a proxy, and notes what comes.
function dial (listen) {
  const port = Number(listen.slice(listen.lastIndexOf(':') + 1))
  return new Promise((resolve, reject) => {
    const conn = net.connect({ port, host: '127.0.0.1', noDelay: true })
    const client = { conn, chunks: [], size: 0, ended: '', wake: () => {} }
    conn.on('data', data => { client.chunks.push(data); client.size += data.length; client.wake() })
    conn.on('end', () => { client.ended ||= 'end'; client.wake() })
    conn.on('error', err => { client.ended ||= err.code; client.wake(); reject(err) })
    conn.on('connect', () => resolve(client))
  })
}

// until waits until something holds of what has come.
async function until (client, holds) {
  const over = Date.now() + 20000
  while (!holds()) {
    if (Date.now() > over) throw new Error(`waited in vain: ${client.size} bytes, ended by ${client.ended || 'nobody'}`)
    await new Promise(resolve => { client.wake = resolve; setTimeout(resolve, 1000) })
  }
}

// ms returns how long something takes.
async function ms (f) {
  const began = performance.now()
  await f()
  return performance.now() - began
}

// measured has something be measured until it is as it should be: a machine that is busy makes things late, and nothing may be early.
async function measured (what, want, tolerance, f) {
  let best = Infinity
  for (let i = 0; i < 20 && best > want + tolerance; i++) {
    const took = await f()
    if (took < want - tolerance / 10 - 1) throw new Error(`${what}: took ${took} ms, want ${want}`)
    best = Math.min(best, took)
  }
  if (best > want + tolerance) throw new Error(`${what}: took ${best} ms at best, want ${want} and at most ${tolerance} more`)
}

// there has bytes go there and back, and returns how long that takes.
function there (client, size) {
  const want = client.size + size
  return ms(async () => {
    client.conn.write(Buffer.alloc(size))
    await until(client, () => client.size >= want)
  })
}

await tries('version', async () => {
  const version = await toxiproxy.getVersion()
  if (!JSON.stringify(version).includes('2.12.0')) throw new Error(`got ${JSON.stringify(version)}`)
})

let proxy
await tries('a proxy', async () => {
  proxy = await toxiproxy.createProxy({ name: 'node', listen: 'localhost:0', upstream: at })
  await refused('created again', toxiproxy.createProxy({ name: 'node', listen: 'localhost:0', upstream: at }), 409)
  await refused('one that is not there', toxiproxy.get('none'), 404)
  equal('upstream', (await toxiproxy.get('node')).upstream, at)
  const client = await dial(proxy.listen)
  await there(client, 1000)
  await proxy.update({ enabled: false, listen: proxy.listen, upstream: at })
  await until(client, () => client.ended)
  equal('disabled', client.ended, 'end')
  equal('refused', await dial(proxy.listen).catch(err => err.code), 'ECONNREFUSED')
  const again = await proxy.update({ enabled: true, listen: proxy.listen, upstream: at })
  equal('the port', again.listen, proxy.listen)
  await there(await dial(proxy.listen), 1)
})

await tries('populate and reset', async () => {
  const made = await toxiproxy.populate([{ name: 'one', listen: 'localhost:0', upstream: 'a:1' }, { name: 'two', listen: 'localhost:0', upstream: 'b:1', enabled: false }])
  equal('made', Object.values(made).map(p => [p.name, p.enabled]), [['one', true], ['two', false]])
  equal('all', Object.keys(await toxiproxy.getAll()), ['node', 'one', 'two'])
  await toxiproxy.reset()
  equal('enabled by the reset', (await toxiproxy.get('two')).enabled, true)
  for (const p of Object.values(made)) await p.remove()
  equal('left', Object.keys(await toxiproxy.getAll()), ['node'])
})

await tries('a toxic', async () => {
  const toxic = await proxy.addToxic({ name: 'slow', type: 'latency', stream: 'upstream', toxicity: 0.5, attributes: { latency: 5, jitter: 1 } })
  const is = await proxy.getToxic('slow')
  equal('added', [is.name, is.type, is.stream, is.toxicity, is.attributes], ['slow', 'latency', 'upstream', 0.5, { latency: 5, jitter: 1 }])
  const changed = await toxic.update({ ...toxic.toJson(), toxicity: 1, attributes: { latency: 7, jitter: 0 } })
  equal('updated', [changed.toxicity, changed.attributes], [1, { latency: 7, jitter: 0 }])
  await refused('added again', proxy.addToxic(toxic.toJson()), 409)
  await refused('of no type', proxy.addToxic({ ...toxic.toJson(), name: 'x', type: 'down' }), 400)
  await toxic.remove()
  await refused('removed', proxy.getToxic('slow'), 404)
})

// withToxic has a toxic while f looks at a connection.
async function withToxic (type, stream, attributes, f) {
  await tries(`${type} ${stream}`, async () => {
    const toxic = await proxy.addToxic({ name: 'it', type, stream, toxicity: 1, attributes })
    try {
      await f(await dial(proxy.listen))
    } finally {
      await toxic.remove()
    }
  })
}

for (const stream of ['upstream', 'downstream']) {
  await withToxic('latency', stream, { latency: 100, jitter: 0 }, async client => {
    await measured('there and back', 100, 10, () => there(client, 1))
  })
  await withToxic('bandwidth', stream, { rate: 1000 }, async client => {
    await measured('1 MB at 1 MB/s', 990, 20, () => there(client, 1000000))
  })
  await withToxic('slow_close', stream, { delay: 200 }, async client => {
    await there(client, 1)
    const took = await ms(async () => { client.conn.end(); await until(client, () => client.ended) })
    equal('ended by', client.ended, 'end')
    if (took < 200) throw new Error(`ended after ${took} ms, want 200`)
  })
  await withToxic('timeout', stream, { timeout: 200 }, async client => {
    const took = await ms(async () => { client.conn.write('lost'); await until(client, () => client.ended) })
    equal('got', [client.size, client.ended], [0, 'end'])
    if (took < 200) throw new Error(`ended after ${took} ms, want 200`)
  })
  await withToxic('reset_peer', stream, { timeout: 100 }, async client => {
    await until(client, () => client.ended)
    equal('ended by', client.ended, 'ECONNRESET')
  })
  await withToxic('limit_data', stream, { bytes: 1234 }, async client => {
    client.conn.write(Buffer.alloc(5000))
    await until(client, () => client.ended)
    equal('got', [client.size <= 1234 && (stream === 'upstream' || client.size === 1234), client.ended], [true, 'end'])
  })
  await withToxic('slicer', stream, { average_size: 10, size_variation: 0, delay: 20000 }, async client => {
    const took = await there(client, 50)
    if (took < 80) throw new Error(`5 pieces took ${took} ms, want 80 at least`)
    if (stream === 'downstream') equal('pieces', client.chunks.map(c => c.length), [10, 10, 10, 10, 10])
  })
}

await tries('as Testcontainers', async () => {
  // What its module asks of a container that has started; the ports are those of this machine.
  const { hostname, port } = new URL(url)
  const container = new StartedToxiProxyContainer({ getHost: () => hostname, getMappedPort: p => p === 8474 ? Number(port) : p })
  const made = await container.createProxy({ name: 'contained', upstream: at })
  const client = await dial(`${made.host}:${made.port}`)
  await there(client, 100)
  const toxics = []
  for (const stream of ['downstream', 'upstream']) {
    toxics.push(await made.instance.addToxic({ name: `CUT_CONNECTION_${stream.toUpperCase()}`, type: 'bandwidth', stream, toxicity: 1, attributes: { rate: 0 } }))
  }
  client.conn.write(Buffer.alloc(100))
  await new Promise(resolve => setTimeout(resolve, 200))
  equal('cut', client.size, 100)
  for (const toxic of toxics) await toxic.remove()
  await until(client, () => client.size === 200)
  await made.setEnabled(false)
  await until(client, () => client.ended)
  equal('refused', await dial(`x:${made.port}`).catch(err => err.code), 'ECONNREFUSED')
  await made.setEnabled(true)
  await there(await dial(`x:${made.port}`), 1)
  await made.instance.remove()
})

await proxy.remove()
process.exit(0)
