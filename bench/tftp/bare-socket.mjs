// `node bare-socket.mjs PORT BYTES`: answers every acknowledgement with the next block, always the same bytes out of memory.
// No file, no timer, nothing sent twice: what is left is a packet received and one sent by node:dgram.
import { createSocket } from 'node:dgram'

const [port, sizeBytes] = process.argv.slice(2).map(Number)
const server = createSocket('udp4')
server.on('message', (request, client) => {
  const words = request.toString('latin1', 2).split('\0')
  const blockBytes = Number(words[words.indexOf('blksize') + 1])
  const lastBlock = Math.floor(sizeBytes / blockBytes) + 1
  const packet = Buffer.alloc(4 + blockBytes)
  packet[1] = 3
  let block = 0
  const socket = createSocket('udp4')
  socket.on('message', () => {
    block++
    if (block > lastBlock) return socket.close()
    packet.writeUInt16BE(block & 0xffff, 2)
    socket.send(block < lastBlock ? packet : packet.subarray(0, 4 + (sizeBytes % blockBytes)))
  })
  socket.bind({ address: '127.0.0.1', port: 0 }, () => {
    socket.connect(client.port, client.address, () => {
      socket.send(Buffer.from(`\0\x06blksize\0${blockBytes}\0tsize\0${sizeBytes}\0`))
    })
  })
})
server.bind(port, '127.0.0.1')
