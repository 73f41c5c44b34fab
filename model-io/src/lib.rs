//! Spikeloom's readers and writers: HDF5, NIR, SONATA, npz, network files
