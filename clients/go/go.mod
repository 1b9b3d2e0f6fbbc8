module pgpoolstats

go 1.17
