from inference.simulator.histograms import Histogram, one_two_five


def test_a_value_on_a_bound_belongs_to_it():
    histogram = Histogram((1.0, 2.0))
    for value in (0.5, 1.0, 1.5, 9.0):
        histogram.observe(value)
    assert histogram.counts == [2, 1, 1]


def test_buckets_are_shown_cumulatively():
    histogram = Histogram((1.0, 2.0))
    histogram.observe(0.5, times=3)
    histogram.observe(5)
    assert histogram.lines("h", 'a="b"') == [
        'h_bucket{a="b",le="1.0"} 3.0',
        'h_bucket{a="b",le="2.0"} 3.0',
        'h_bucket{a="b",le="+Inf"} 4.0',
        'h_count{a="b"} 4.0',
        'h_sum{a="b"} 6.5',
    ]


def test_bounds_for_tokens_grow_by_one_two_five():
    assert one_two_five(100) == [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0]
