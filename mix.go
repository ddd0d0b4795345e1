package chaos

// subSalt keeps the draws of a carried fault apart from those of the one that carries it.
const subSalt = 0x73756273746167e5

// mix hashes two numbers into one; it is the finalizer of SplitMix64, applied twice.
func mix(a, b uint64) uint64 {
	x := a ^ (b+0x9e3779b97f4a7c15)*0xbf58476d1ce4e5b9
	for range 2 {
		x += 0x9e3779b97f4a7c15
		x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
		x = (x ^ x>>27) * 0x94d049bb133111eb
		x ^= x >> 31
	}
	return x
}
