package main

import (
	"bytes"
	"encoding/binary"
	"math"
	"time"
)

const (
	sampleRate    = 16_000 // samples per second, one channel
	bytesPerValue = 2      // 16-bit PCM
	pitch         = 440.0  // hertz: the A above middle C
	loudness      = 0.3    // of full scale
	headerBytes   = 44     // a canonical WAV header
)

// wavTone is a WAV file with a sine tone of the given length.
func wavTone(length time.Duration) []byte {
	samples := int(length.Seconds() * sampleRate)
	data := samples * bytesPerValue
	var file bytes.Buffer
	file.WriteString("RIFF")
	write(&file, uint32(headerBytes-8+data))
	file.WriteString("WAVEfmt ")
	write(&file, uint32(16)) // bytes of this chunk
	write(&file, uint16(1))  // PCM
	write(&file, uint16(1))  // channels
	write(&file, uint32(sampleRate))
	write(&file, uint32(sampleRate*bytesPerValue))
	write(&file, uint16(bytesPerValue))
	write(&file, uint16(8*bytesPerValue))
	file.WriteString("data")
	write(&file, uint32(data))
	for i := range samples {
		wave := math.Sin(2 * math.Pi * pitch * float64(i) / sampleRate)
		write(&file, int16(loudness*math.MaxInt16*wave))
	}
	return file.Bytes()
}

// write appends a number in little endian. A bytes.Buffer takes everything.
func write[T uint16 | uint32 | int16](file *bytes.Buffer, value T) {
	_ = binary.Write(file, binary.LittleEndian, value)
}
